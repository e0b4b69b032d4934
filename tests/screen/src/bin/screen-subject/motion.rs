//! Motions of the whole screen: text that scrolls, the same text repainted, and a kind of video.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use x11rb::{connection::Connection as _, wrapper::ConnectionExt as _};

use crate::drawing::{Drawing, LINE, NUMBER, photo};

/// By how many lines the text moves with each frame: by as many as with one notch of a wheel.
const STEP: u16 = 3;
/// The number of the video's frames, which are repeated.
const FRAMES: u16 = 12;

/// A motion that goes on until another begins.
pub struct Motion {
    drawing: Arc<Drawing>,
    playing: Mutex<Playing>,
}

/// The content of the window.
enum Playing {
    Scene,
    /// The last frame of the motion that has ended.
    Rest,
    Motion(Sender<()>, JoinHandle<()>),
}

impl Motion {
    pub fn new(drawing: Arc<Drawing>) -> Self {
        Self { drawing, playing: Mutex::new(Playing::Scene) }
    }

    /// Ends the present motion and plays this one.
    pub fn play(&self, what: &str) {
        let mut playing = self.playing.lock().unwrap();
        if let Playing::Motion(stop, thread) = std::mem::replace(&mut *playing, Playing::Rest) {
            drop(stop);
            thread.join().unwrap();
        }
        let mut next: Box<dyn FnMut(u16) + Send> = match what {
            "scroll" => Box::new(scroll(self.drawing.clone())),
            "repaint" => Box::new(repaint(self.drawing.clone())),
            "video" => Box::new(video(self.drawing.clone())),
            "nothing" => return,
            "still" => {
                *playing = Playing::Scene;
                return self.drawing.scene();
            }
            _ => panic!("no such motion: {what}"),
        };
        let pause = Duration::from_millis(if what == "video" { 33 } else { 16 });
        let (display, (stop, stopped)) = (self.drawing.display.clone(), channel());
        let thread = std::thread::spawn(move || {
            for frame in 0.. {
                let began = Instant::now();
                next(frame);
                // A display that is behind slows it, as it slows any program.
                display.sync().unwrap();
                let wait = pause.saturating_sub(began.elapsed());
                if stopped.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        });
        *playing = Playing::Motion(stop, thread);
    }

    /// Draws the scene again after it was covered, unless a motion shows.
    pub fn uncovered(&self) {
        let playing = self.playing.lock().unwrap();
        if matches!(*playing, Playing::Scene) {
            self.drawing.scene();
        }
    }
}

/// Scrolls like a terminal: copies the window's own pixels up and draws lines below them.
fn scroll(on: Arc<Drawing>) -> impl FnMut(u16) + Send {
    let (width, height) = on.size();
    let lines = (height - NUMBER.1) / LINE;
    let blocks = on.pixmap(NUMBER.0, NUMBER.1);
    on.text(on.window, 0, lines, 0);
    move |frame| {
        on.show(on.window, STEP * LINE, 0, width, (lines - STEP) * LINE);
        let from = u32::from(lines) + u32::from(frame) * u32::from(STEP);
        on.text(on.window, (lines - STEP) * LINE, STEP, from);
        finish(&on, blocks, frame);
    }
}

/// Scrolls like a browser or an editor: repaints the whole window from a picture elsewhere.
fn repaint(on: Arc<Drawing>) -> impl FnMut(u16) + Send {
    let (width, height) = on.size();
    let lines = (height - NUMBER.1) / LINE;
    let more = STEP * 60;
    let page = on.pixmap(width, (lines + more) * LINE);
    on.text(page, 0, lines + more, 0);
    let blocks = on.pixmap(NUMBER.0, NUMBER.1);
    move |frame| {
        let from = (frame * STEP % more) * LINE;
        on.show(page, from, 0, width, lines * LINE);
        finish(&on, blocks, frame);
    }
}

fn finish(on: &Drawing, blocks: u32, frame: u16) {
    on.number(blocks, 0, frame);
    on.show(blocks, 0, on.size().1 - NUMBER.1, NUMBER.0, NUMBER.1);
    on.display.flush().unwrap();
}

fn video(on: Arc<Drawing>) -> impl FnMut(u16) + Send {
    let (width, height) = on.size();
    let frames: Vec<u32> = (0..FRAMES)
        .map(|time| {
            let pixmap = on.pixmap(width, height);
            on.image(pixmap, 0, 0, width, &photo(width, height, time));
            pixmap
        })
        .collect();
    move |frame| {
        let shown = frames[usize::from(frame % FRAMES)];
        on.number(shown, (height - NUMBER.1) as i16, frame);
        on.show(shown, 0, 0, width, height);
        on.display.flush().unwrap();
    }
}
