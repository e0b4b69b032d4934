//! The clipboard, both ways, with xclip as the customer's program.

mod brought_back;
mod copied_by_customer;

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::sync::Arc;

use presenter::screen::{self, Capture, Change, Contents, Input, NotCarried, Waker};
use rfb::{Picture, Png};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{ConnectionExt as _, SelectionEventMask};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Property, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::desk::ConsentUi;

struct Shared {
    capture: Box<dyn Capture>,
    waker: Arc<dyn Waker>,
    input: Box<dyn Input>,
    picture: Picture,
    desk: ConsentUi,
}

impl Shared {
    fn start() -> Self {
        let desk = ConsentUi::start("320x200x24", &[]);
        let (mut capture, waker, input) = screen::open(Some(&desk.display)).unwrap();
        let picture = capture.whole().unwrap();
        Self { capture, waker, input, picture, desk }
    }

    /// The next text that is told.
    fn told(&mut self) -> String {
        match self.told_contents() {
            Contents::Text(text) => text.to_string(),
            Contents::Picture(picture) => format!("{picture:?}"),
        }
    }

    fn told_contents(&mut self) -> Contents {
        loop {
            for change in self.capture.next(&mut self.picture, &[]).unwrap() {
                if let Change::Clipboard(contents) = change {
                    return contents;
                }
            }
        }
    }

    /// Why the next thing that is copied isn't told.
    fn not_carried(&mut self) -> NotCarried {
        loop {
            for change in self.capture.next(&mut self.picture, &[]).unwrap() {
                if let Change::NotCarried(why) = change {
                    return why;
                }
            }
        }
    }

    /// The texts that are told until a program has put `last` there.
    fn told_until(&mut self, last: &str) -> Vec<String> {
        let _owner = self.copy(last, &[]);
        let mut all = Vec::new();
        while all.last().is_none_or(|text| text != last) {
            all.push(self.told());
        }
        all
    }

    /// A program of the customer's copies; it owns the clipboard from now on, until it ends.
    fn copy(&self, what: impl AsRef<[u8]>, options: &[&str]) -> Owner {
        let owners = Owners::watch(&self.desk);
        let mut xclip = self
            .desk
            .program("xclip")
            .args(["-selection", "clipboard", "-quiet", "-in"])
            .args(options)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("xclip is installed");
        xclip.stdin.take().unwrap().write_all(what.as_ref()).unwrap();
        owners.wait();
        Owner(xclip)
    }

    fn paste(&self, target: &str) -> Vec<u8> {
        paste(&self.desk, target)
    }
}

/// A program of the customer's pastes.
fn paste(desk: &ConsentUi, target: &str) -> Vec<u8> {
    let mut xclip = desk.program("xclip");
    let ran = xclip.args(["-selection", "clipboard", "-out", "-target", target]).output();
    ran.unwrap().stdout
}

/// Sees who owns the clipboard.
struct Owners(RustConnection);

impl Owners {
    fn watch(desk: &ConsentUi) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&desk.display)).unwrap();
        let root = conn.setup().roots[screen].root;
        conn.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        let clipboard = conn.intern_atom(false, b"CLIPBOARD").unwrap().reply().unwrap().atom;
        let mask = SelectionEventMask::SET_SELECTION_OWNER;
        conn.xfixes_select_selection_input(root, clipboard, mask).unwrap().check().unwrap();
        Self(conn)
    }

    fn wait(&self) {
        while !matches!(self.0.wait_for_event().unwrap(), Event::XfixesSelectionNotify(_)) {}
    }
}

struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn gives_every_program_a_viewers_picture_and_never_tells_it_back() {
    let mut shared = Shared::start();
    // Of more than 256 KiB.
    let large = png(600, 500, &[]);
    for file in [png(3, 2, &[]), large] {
        shared.input.clipboard(Contents::Picture(Png::new(&file).unwrap()), &|| true).unwrap();
        assert!(shared.paste("image/png") == file);
        assert_eq!(shared.paste("UTF8_STRING"), b"");
        let targets = String::from_utf8(shared.paste("TARGETS")).unwrap();
        assert!(targets.lines().any(|target| target == "image/png"), "{targets}");
        let _history = shared.copy(&file, &["-target", "image/png"]);
        assert_eq!(shared.told_until("after"), ["after"]);
    }
}

/// A PNG of noise, which doesn't compress, with these chunks before its pixels.
fn png(width: u32, height: u32, more: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut noise = 1_u32;
    let mut rows = Vec::new();
    for _ in 0..height {
        rows.push(0);
        rows.extend((0..width * 3).map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        }));
    }
    let mut zlib = flate2::Compress::new(flate2::Compression::fast(), true);
    let mut pixels = Vec::with_capacity(rows.len() * 2 + 1024);
    zlib.compress_vec(&rows, &mut pixels, flate2::FlushCompress::Finish).unwrap();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let all = [(b"IHDR", &header[..])].into_iter().chain(more.iter().copied());
    for (name, content) in all.chain([(b"IDAT", &pixels[..]), (b"IEND", &[])]) {
        let checked = [name, content].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&checked);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(checked);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

#[test]
fn gives_every_program_what_a_viewer_has_copied() {
    let mut shared = Shared::start();
    let text = "von Zoë: 漢字 € \n";
    shared.input.clipboard(text.into(), &|| true).unwrap();
    for target in ["UTF8_STRING", "TEXT", "text/plain;charset=utf-8"] {
        assert_eq!(shared.paste(target), text.as_bytes(), "{target}");
    }
    assert_eq!(shared.paste("STRING"), b"von Zo\xeb: ?? ? \n");
    let targets = String::from_utf8(shared.paste("TARGETS")).unwrap();
    assert!(targets.lines().any(|target| target == "UTF8_STRING"), "{targets}");
    assert_eq!(shared.paste("image/png"), b"");

    shared.input.clipboard("another".into(), &|| true).unwrap();
    assert_eq!(shared.paste("UTF8_STRING"), b"another");
}

#[test]
fn answers_timestamp_and_several_at_once() {
    let mut shared = Shared::start();
    shared.input.clipboard("text".into(), &|| true).unwrap();
    let (conn, screen) = RustConnection::connect(Some(&shared.desk.display)).unwrap();
    let atom = |name: &str| conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let (root, window) = (conn.setup().roots[screen].root, conn.generate_id().unwrap());
    let (aux, class) = (CreateWindowAux::new(), WindowClass::INPUT_ONLY);
    conn.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
    let [list, text, time, none] = ["LIST", "A", "B", "C"].map(atom);
    let asked = [
        (atom("UTF8_STRING"), text),
        (atom("TIMESTAMP"), time),
        (atom("image/png"), none),
        // A list in a list is refused.
        (atom("MULTIPLE"), none),
    ];
    let pairs: Vec<u32> = asked.iter().flat_map(|(target, into)| [*target, *into]).collect();
    let kind = atom("ATOM_PAIR");
    conn.change_property32(PropMode::REPLACE, window, list, kind, &pairs).unwrap();
    let clipboard = atom("CLIPBOARD");
    conn.convert_selection(window, clipboard, atom("MULTIPLE"), list, x11rb::CURRENT_TIME).unwrap();
    conn.flush().unwrap();
    while !matches!(conn.wait_for_event().unwrap(), Event::SelectionNotify(done) if done.property == list)
    {
    }
    let read = |property| {
        let asked = conn.get_property(false, window, property, AtomEnum::ANY, 0, 64).unwrap();
        asked.reply().unwrap()
    };
    assert_eq!(read(text).value, b"text");
    let since = read(time);
    assert_eq!((since.type_, since.value.len()), (AtomEnum::INTEGER.into(), 4));
    assert_ne!(since.value32().unwrap().next(), Some(0));
    let given: Vec<u32> = read(list).value32().unwrap().collect();
    assert_eq!(given[..4], pairs[..4]);
    assert_eq!([given[5], given[7]], [0, 0]);
}

#[test]
fn gives_a_long_text_in_pieces_to_several_at_once() {
    let mut shared = Shared::start();
    let text = "0123456789abcdé\n".repeat(60_000);
    shared.input.clipboard(text.as_str().into(), &|| true).unwrap();
    let desk = &shared.desk;
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| paste(desk, "UTF8_STRING"))).collect();
        for reader in readers {
            assert!(reader.join().unwrap() == text.as_bytes());
        }
    });
}

/// Another viewer's picture or text comes while a slow program still reads the first one.
#[test]
fn a_program_that_has_begun_to_read_gets_what_it_began_with() {
    let mut shared = Shared::start();
    let first = png(600, 500, &[]);
    shared.input.clipboard(Contents::Picture(Png::new(&first).unwrap()), &|| true).unwrap();
    let (conn, screen) = RustConnection::connect(Some(&shared.desk.display)).unwrap();
    let atom = |name: &str| conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let (root, window) = (conn.setup().roots[screen].root, conn.generate_id().unwrap());
    let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    let class = WindowClass::INPUT_ONLY;
    conn.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
    let [clipboard, target, property] = ["CLIPBOARD", "image/png", "A"].map(atom);
    conn.convert_selection(window, clipboard, target, property, x11rb::CURRENT_TIME).unwrap();
    conn.flush().unwrap();
    while !matches!(conn.wait_for_event().unwrap(), Event::SelectionNotify(_)) {}
    let take = || {
        let taken = conn.get_property(true, window, property, AtomEnum::ANY, 0, 1 << 20).unwrap();
        taken.reply().unwrap()
    };
    assert_eq!(take().type_, atom("INCR"));
    shared.input.clipboard("of another viewer".into(), &|| true).unwrap();
    assert_eq!(shared.paste("UTF8_STRING"), b"of another viewer");
    let mut read = Vec::new();
    loop {
        let Event::PropertyNotify(changed) = conn.wait_for_event().unwrap() else { continue };
        if changed.atom != property || changed.state != Property::NEW_VALUE {
            continue;
        }
        let piece = take();
        // The property that said INCR was new as well, and is gone already.
        match piece.value.len() {
            _ if piece.type_ == x11rb::NONE => {}
            0 => break,
            _ => read.extend(piece.value),
        }
    }
    assert!(read == first);
}

#[test]
fn never_tells_a_viewer_what_a_viewer_has_copied() {
    let mut shared = Shared::start();
    shared.input.clipboard("from the viewer".into(), &|| true).unwrap();
    assert_eq!(shared.told_until("first"), ["first"]);
    shared.input.clipboard("kept by a history".into(), &|| true).unwrap();
    // A clipboard's history program takes over what it finds there.
    let _history = shared.copy("kept by a history", &[]);
    assert_eq!(shared.told_until("other"), ["other"]);
    // But now the viewers have another text, and so the old one is news.
    let _owner = shared.copy("kept by a history", &[]);
    assert_eq!(shared.told(), "kept by a history");
}

#[test]
fn gives_nothing_any_more_once_it_is_closed() {
    let mut shared = Shared::start();
    shared.input.clipboard("secret".into(), &|| true).unwrap();
    let Shared { capture, waker, input, desk, .. } = shared;
    drop((capture, waker, input));
    let ran = desk.program("xclip").args(["-selection", "clipboard", "-out"]).output().unwrap();
    assert_eq!(ran.stdout, b"");
    assert!(!ran.status.success());
}
