//! What the messages of a filled archive say, by a seed.

/// About 12 words: "the" in nearly all, "printer" and its like in a quarter, 20,000 others.
pub fn text(random: &mut u64, n: u64) -> String {
    let mut next = |below: u64| {
        *random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    };
    let mut words = vec!["the".to_owned()];
    for _ in 0..10 {
        // Small numbers are common, as words are.
        let (top, place) = (next(20_000), next(20_000));
        words.push(format!("word{}", top * place / 20_000));
    }
    if next(4) == 0 {
        let kinds = ["printer", "printers", "printing", "printed"];
        words.push(kinds[next(4) as usize].to_owned());
    }
    if n.is_multiple_of(5_000) && next(10) == 0 {
        words.push("rare7".to_owned());
    }
    words.join(" ")
}

/// About 20 characters of 3,000, with a printer in a quarter of the messages.
pub fn chinese(random: &mut u64) -> String {
    let mut next = |below: u64| {
        *random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    };
    let mut text = String::new();
    for _ in 0..20 {
        // Small numbers are common, as characters are.
        let (top, place) = (next(3_000), next(3_000));
        text.extend(char::from_u32(0x4E00 + u32::try_from(top * place / 3_000).unwrap()));
    }
    if next(4) == 0 {
        text.push_str("打印机坏了");
    }
    text
}
