//! The window that fills the customer's screen in tests and in the bench.
//!
//! Each key and each click changes the colour of its square. It writes the events that it gets to
//! stdout, and reads commands from stdin: `still`, `nothing`, `scroll`, `repaint`, `video`, `copy
//! TEXT`, `so far`.

#![allow(clippy::unwrap_used)]

mod clipboard;
mod drawing;
mod motion;

use std::{io::BufRead as _, sync::Arc};

use x11rb::{
    connection::Connection as _,
    protocol::{
        Event,
        randr::{ConnectionExt as _, NotifyMask},
        xproto::{
            ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus,
            WindowClass,
        },
    },
    rust_connection::RustConnection,
};

use crate::{clipboard::Clipboard, drawing::Drawing, motion::Motion};

fn main() {
    let (display, screen) = RustConnection::connect(None).unwrap();
    let display = Arc::new(display);
    let screen = &display.setup().roots[screen];
    let (root, depth) = (screen.root, screen.root_depth);
    let window = display.generate_id().unwrap();
    let heard = EventMask::KEY_PRESS
        | EventMask::KEY_RELEASE
        | EventMask::BUTTON_PRESS
        | EventMask::BUTTON_RELEASE
        | EventMask::POINTER_MOTION
        | EventMask::EXPOSURE;
    let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
    let looks = CreateWindowAux::new().override_redirect(1).event_mask(heard);
    let class = WindowClass::INPUT_OUTPUT;
    display.create_window(depth, window, root, 0, 0, width, height, 0, class, 0, &looks).unwrap();
    display.randr_select_input(root, NotifyMask::SCREEN_CHANGE).unwrap();
    let clipboard = Clipboard::new(display.clone(), window);
    let drawing = Arc::new(Drawing::new(display.clone(), window, depth, (width, height)));
    let motion = Arc::new(Motion::new(drawing.clone()));
    display.map_window(window).unwrap();
    display.flush().unwrap();
    while !matches!(display.wait_for_event().unwrap(), Event::Expose(_)) {}
    display.set_input_focus(InputFocus::NONE, window, x11rb::CURRENT_TIME).unwrap();
    drawing.scene();
    println!("ready");

    let (played, commanded) = (motion.clone(), clipboard.clone());
    std::thread::spawn(move || obey(&played, &commanded));
    while let Ok(event) = display.wait_for_event() {
        match event {
            Event::RandrScreenChangeNotify(change) => {
                let size = (change.width, change.height);
                let fit =
                    ConfigureWindowAux::new().width(u32::from(size.0)).height(u32::from(size.1));
                display.configure_window(window, &fit).unwrap();
                drawing.resized(size);
                println!("size {} {}", size.0, size.1);
            }
            // A window that covered this one is gone. The X server doesn't store covered pixels.
            Event::Expose(last) if last.count == 0 => motion.uncovered(),
            input => hears(&input, &drawing, &clipboard),
        }
    }
}

fn hears(event: &Event, drawing: &Drawing, clipboard: &Clipboard) {
    match event {
        Event::KeyPress(key) => {
            println!("key {} down", key.detail);
            drawing.next_colour();
        }
        Event::KeyRelease(key) => println!("key {} up", key.detail),
        Event::ButtonPress(button) => {
            println!("button {} down {} {}", button.detail, button.event_x, button.event_y);
            drawing.next_colour();
        }
        Event::ButtonRelease(button) => {
            println!("button {} up {} {}", button.detail, button.event_x, button.event_y);
        }
        Event::MotionNotify(to) => println!("pointer {} {}", to.event_x, to.event_y),
        other => clipboard.hears(other),
    }
}

fn obey(motion: &Motion, clipboard: &Clipboard) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("copy", text)) => {
                clipboard.own(text);
                println!("copied");
            }
            // After two round trips all earlier events of the display are written.
            Some(("so", "far")) => {
                clipboard.round_trip();
                println!("so far");
            }
            _ => {
                motion.play(&line);
                println!("plays {line}");
            }
        }
    }
    std::process::exit(0);
}
