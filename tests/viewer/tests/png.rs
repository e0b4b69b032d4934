//! Pictures for clipboards: sound ones are taken with their pixels and nothing else, all others are refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flate2::{Compress, Compression, Crc, FlushCompress};
use proptest::{prelude::*, sample::Index};
use rfb::{Png, PngError};

type Chunk = (&'static [u8; 4], Vec<u8>);

/// Colour types, each with its samples and its depths.
const KINDS: [(u8, usize, &[u8]); 5] = [
    (0, 1, &[1, 2, 4, 8, 16]),
    (2, 3, &[8, 16]),
    (3, 1, &[1, 2, 4, 8]),
    (4, 2, &[8, 16]),
    (6, 4, &[8, 16]),
];

fn file(chunks: &[Chunk]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in chunks {
        let checked = [&name[..], content].concat();
        let mut crc = Crc::new();
        crc.update(&checked);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(checked);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

fn header(width: u32, height: u32, depth: u8, colour: u8, interlaced: bool) -> Chunk {
    let rest = [depth, colour, 0, 0, u8::from(interlaced)];
    (b"IHDR", [&width.to_be_bytes()[..], &height.to_be_bytes(), &rest].concat())
}

fn deflate(rows: &[u8]) -> Vec<u8> {
    let mut zlib = Compress::new(Compression::fast(), true);
    let mut pixels = Vec::with_capacity(rows.len() + 1024);
    zlib.compress_vec(rows, &mut pixels, FlushCompress::Finish).unwrap();
    pixels
}

fn end() -> Chunk {
    (b"IEND", Vec::new())
}

/// Bytes of all rows, counted pixel by pixel.
fn inflated(width: usize, height: usize, bits: usize, interlaced: bool) -> usize {
    let steps: &[[usize; 4]] = if interlaced {
        &[
            [0, 0, 8, 8],
            [4, 0, 8, 8],
            [0, 4, 4, 8],
            [2, 0, 4, 4],
            [0, 2, 2, 4],
            [1, 0, 2, 2],
            [0, 1, 1, 2],
        ]
    } else {
        &[[0, 0, 1, 1]]
    };
    let pass = |[x, y, dx, dy]: &[usize; 4]| {
        let (across, down) = ((*x..width).step_by(*dx).count(), (*y..height).step_by(*dy).count());
        if across == 0 { 0 } else { down * (1 + (across * bits).div_ceil(8)) }
    };
    steps.iter().map(pass).sum()
}

/// A sound picture's chunks; its pixels are cut into several.
fn picture() -> impl Strategy<Value = Vec<Chunk>> {
    let kind = prop::sample::select(KINDS.to_vec()).prop_flat_map(|(colour, samples, depths)| {
        (Just(colour), Just(samples), prop::sample::select(depths.to_vec()))
    });
    let cuts = prop::collection::vec(any::<Index>(), 0..3);
    (kind, 1..20_usize, 1..20_usize, any::<bool>(), cuts).prop_map(
        |((colour, samples, depth), width, height, interlaced, cuts)| {
            let rows = inflated(width, height, samples * usize::from(depth), interlaced);
            let pixels = deflate(&vec![0; rows]);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(pixels.len())).collect();
            cuts.extend([0, pixels.len()]);
            cuts.sort_unstable();
            let mut chunks = vec![header(width as u32, height as u32, depth, colour, interlaced)];
            if colour == 3 {
                chunks.extend([(b"PLTE", vec![0; 6]), (b"tRNS", vec![0; 2])]);
            }
            chunks.extend(cuts.windows(2).map(|cut| (b"IDAT", pixels[cut[0]..cut[1]].to_vec())));
            chunks.push(end());
            chunks
        },
    )
}

proptest! {
    #[test]
    fn sound_pictures_of_every_kind_are_taken_as_they_are(chunks in picture()) {
        let file = file(&chunks);
        let png = Png::new(&file).unwrap();
        prop_assert_eq!(png.bytes(), file);
    }

    #[test]
    fn what_is_beside_the_pixels_stays_behind(
        chunks in picture(), name in prop::sample::select(vec![b"tEXt", b"eXIf", b"iCCP", b"acTL"]),
        after in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut more = chunks.clone();
        more.insert(1, (name, b"Zoe, 48.2 N 16.3 E".to_vec()));
        more.insert(more.len() - 1, (name, Vec::new()));
        let longer = [file(&more), after].concat();
        let png = Png::new(&longer).unwrap();
        prop_assert_eq!(png.bytes(), file(&chunks));
    }

    #[test]
    fn a_changed_byte_is_noticed(chunks in picture(), at in any::<Index>(), by in 1..=255_u8) {
        let mut file = file(&chunks);
        let at = at.index(file.len());
        file[at] ^= by;
        prop_assert_eq!(Png::new(&file), Err(PngError::Damaged));
    }

    #[test]
    fn a_part_is_no_picture(chunks in picture(), at in any::<Index>()) {
        let file = file(&chunks);
        prop_assert_eq!(Png::new(&file[..at.index(file.len())]), Err(PngError::Damaged));
    }

    #[test]
    fn more_or_fewer_pixels_than_the_header_says_are_refused(
        chunks in picture(), rows in 0..40_usize,
    ) {
        let mut changed = chunks.clone();
        changed.retain(|(name, _)| *name != b"IDAT");
        let at = changed.len() - 1;
        changed.insert(at, (b"IDAT", deflate(&vec![0; rows])));
        let right = Png::new(&file(&chunks)).is_ok() && Png::new(&file(&changed)).is_ok();
        // By chance it is as many.
        let depth_and_more = &chunks[0].1;
        let samples = KINDS.iter().find(|kind| kind.0 == depth_and_more[9]).unwrap().1;
        let number = |at: usize| usize::from(depth_and_more[at]);
        let bits = samples * number(8);
        let needed = inflated(number(3), number(7), bits, number(12) == 1);
        prop_assert_eq!(right, rows == needed);
    }
}

#[test]
fn too_many_bytes_or_pixels_are_too_large() {
    assert_eq!(Png::new(&vec![0; Png::LONGEST + 1]), Err(PngError::TooLarge));
    for (width, height) in [(4097, 4096), (u32::MAX, u32::MAX), (1, u32::MAX)] {
        let bomb = file(&[header(width, height, 8, 2, false)]);
        assert_eq!(Png::new(&bomb), Err(PngError::TooLarge), "{width} x {height}");
    }
}

/// A few kilobytes that would become gigabytes.
#[test]
fn what_unpacks_to_more_than_it_says_is_refused_as_soon_as_it_does() {
    let pixels = deflate(&vec![0; 50_000_000]);
    let bomb = file(&[header(1, 1, 8, 2, false), (b"IDAT", pixels.clone()), end()]);
    assert_eq!(Png::new(&bomb), Err(PngError::Damaged));
    // And with a right beginning, and what follows in a chunk of its own.
    let one = deflate(&[0; 4]);
    let chunks = [header(1, 1, 8, 2, false), (b"IDAT", one), (b"IDAT", pixels), end()];
    assert_eq!(Png::new(&file(&chunks)), Err(PngError::Damaged));
}

#[test]
fn chunks_that_are_missing_double_or_in_a_wrong_place_are_refused() {
    let row = || (b"IDAT", deflate(&[0; 2]));
    let (head, palette) = (|| header(1, 1, 8, 3, false), || (b"PLTE", vec![0; 3]));
    let wrong: [Vec<Chunk>; 12] = [
        vec![],
        vec![end()],
        vec![head(), end()],
        vec![head(), row(), end()],
        vec![palette(), head(), row(), end()],
        vec![head(), palette(), row()],
        vec![head(), head(), palette(), row(), end()],
        vec![head(), palette(), palette(), row(), end()],
        vec![head(), row(), palette(), end()],
        vec![head(), palette(), row(), (b"tEXt", vec![]), row(), end()],
        vec![head(), palette(), (b"tRNS", vec![0; 2]), row(), end()],
        vec![head(), palette(), (b"ABCD", vec![]), row(), end()],
    ];
    for chunks in wrong {
        assert_eq!(Png::new(&file(&chunks)), Err(PngError::Damaged), "{chunks:?}");
    }
    assert!(Png::new(&file(&[head(), palette(), row(), end()])).is_ok());
    for (depth, colour) in [(16, 3), (4, 2), (8, 1), (3, 0), (0, 0), (8, 7)] {
        let chunks = [header(1, 1, depth, colour, false), (b"PLTE", vec![0; 3]), row(), end()];
        assert_eq!(Png::new(&file(&chunks)), Err(PngError::Damaged), "{depth} bits of {colour}");
    }
    for (width, height) in [(0, 1), (1, 0)] {
        let chunks = [header(width, height, 8, 0, false), row(), end()];
        assert_eq!(Png::new(&file(&chunks)), Err(PngError::Damaged));
    }
}

/// So many chunks fit into a picture; each has to cost little.
#[test]
fn pixels_in_very_many_chunks_are_taken() {
    let mut chunks = vec![header(1, 1, 8, 0, false), (b"IDAT", deflate(&[0; 2]))];
    let empty = (Png::LONGEST - file(&chunks).len()) / 12 - 1;
    let at = chunks.len() - 1;
    chunks.splice(at..at, (0..empty).map(|_| (b"IDAT", Vec::new())));
    chunks.push(end());
    let file = file(&chunks);
    assert_eq!(Png::new(&file).unwrap().bytes(), file);
}

#[test]
fn a_picture_says_its_size_and_never_what_it_shows() {
    let png = Png::new(include_bytes!("pixel.png")).unwrap();
    assert_eq!(format!("{png:?}"), "Png(69 bytes)");
}
