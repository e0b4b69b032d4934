//! Fetches parts of the root window: through memory shared with the X server if it is on this
//! computer, else over the connection. Both ways work in bands, so that a screen of any size takes
//! bounded memory, and the server copies one band while this program converts the one before.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use rfb::{Picture, Rect};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::cookie::Cookie;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::shm;
use x11rb::protocol::xproto::{self, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use super::pixels::RootLayout;
use super::x_connection::XConnection;
use crate::screen::ScreenError;

/// The most bytes of one band, so that it fits into a processor's cache.
const BAND: usize = 512 * 1024;
/// The size of the shared memory in bytes. The system provides only the pages that are used.
const SHARED: usize = 16 * 1024 * 1024;
/// The most bytes that are requested at a time over the connection.
const UNSHARED: usize = 4 * 1024 * 1024;

pub struct ImageFetcher {
    root: Window,
    layout: RootLayout,
    shared: Option<Shared>,
    band: Vec<u8>,
}

struct Shared {
    segment: shm::Seg,
    /// The memory as a file. It is read, not mapped: mapping takes unsafe code, and the X server
    /// could write to the memory while Rust holds a reference to it.
    file: File,
}

/// A part of an area, and its offset in the shared memory.
#[derive(Clone, Copy)]
struct Band {
    area: Rect,
    offset: usize,
    bytes: usize,
}

/// A band that was requested from the X server.
enum PendingImage<'c> {
    Shared(Cookie<'c, RustConnection, shm::GetImageReply>),
    Unshared(Cookie<'c, RustConnection, xproto::GetImageReply>),
}

impl ImageFetcher {
    /// For the server's screen.
    pub fn new(server: &XConnection) -> Result<Self, ScreenError> {
        let screen = server.screen();
        let layout = RootLayout::from_screen(server.conn.setup(), screen)?;
        let shared = Shared::open(&server.conn)?;
        tracing::debug!(shared = shared.is_some(), ?layout, "how the screen is fetched");
        Ok(Self { root: screen.root, layout, shared, band: Vec::new() })
    }

    /// Brings these areas of the picture up to date. They are inside the picture.
    ///
    /// # Errors
    /// An X11 error, such as when the screen has become smaller than the picture.
    pub fn fetch(
        &mut self,
        conn: &RustConnection,
        picture: &mut Picture,
        areas: &[Rect],
    ) -> Result<(), ReplyError> {
        let most = if self.shared.is_some() { SHARED } else { UNSHARED };
        for bands in self.batches(areas, most) {
            let requested: Result<Vec<_>, _> =
                bands.iter().map(|band| self.request(conn, *band)).collect();
            for (band, requested) in bands.iter().zip(requested?) {
                self.take(*band, requested, picture)?;
            }
        }
        Ok(())
    }

    /// Cuts the areas into bands, and groups these so that each group fits into `most` bytes.
    fn batches(&self, areas: &[Rect], most: usize) -> Vec<Vec<Band>> {
        let mut batches = Vec::new();
        let mut batch: Vec<Band> = Vec::new();
        let mut offset = 0;
        for area in areas.iter().flat_map(|area| bands(*area, self.layout.row(area.w))) {
            let bytes = self.layout.row(area.w) * usize::from(area.h);
            if offset + bytes > most {
                batches.push(std::mem::take(&mut batch));
                offset = 0;
            }
            batch.push(Band { area, offset, bytes });
            offset += bytes;
        }
        batches.push(batch);
        batches
    }

    fn request<'c>(
        &self,
        conn: &'c RustConnection,
        band: Band,
    ) -> Result<PendingImage<'c>, ConnectionError> {
        const EVERY_PLANE: u32 = !0;
        let Rect { x, y, w, h } = band.area;
        // The screen's size is limited to 16,384, so these don't overflow.
        let (x, y) = (x.cast_signed(), y.cast_signed());
        let format = ImageFormat::Z_PIXMAP;
        Ok(match &self.shared {
            Some(shared) => {
                let offset = u32::try_from(band.offset).unwrap_or(u32::MAX);
                let (segment, format) = (shared.segment, format.into());
                PendingImage::Shared(shm::get_image(
                    conn,
                    self.root,
                    x,
                    y,
                    w,
                    h,
                    EVERY_PLANE,
                    format,
                    segment,
                    offset,
                )?)
            }
            None => PendingImage::Unshared(xproto::get_image(
                conn,
                format,
                self.root,
                x,
                y,
                w,
                h,
                EVERY_PLANE,
            )?),
        })
    }

    fn take(
        &mut self,
        band: Band,
        requested: PendingImage,
        picture: &mut Picture,
    ) -> Result<(), ReplyError> {
        match requested {
            PendingImage::Shared(cookie) => {
                cookie.reply()?;
                let Some(shared) = &self.shared else { return Ok(()) };
                let offset = u64::try_from(band.offset).unwrap_or(u64::MAX);
                // Whole rows that need no conversion are read straight into the picture.
                let is_picture = self.layout.is_own() && band.area.w == picture.width();
                let into = if is_picture {
                    let start = usize::from(band.area.y) * self.layout.row(band.area.w);
                    &mut picture.pixels_mut()[start..start + band.bytes]
                } else {
                    self.band.resize(band.bytes, 0);
                    &mut self.band
                };
                let read = shared.file.read_exact_at(into, offset);
                read.map_err(ConnectionError::IoError)?;
                if is_picture {
                    return Ok(());
                }
            }
            PendingImage::Unshared(cookie) => self.band = cookie.reply()?.data,
        }
        self.draw(band.area, picture);
        Ok(())
    }

    fn draw(&self, area: Rect, picture: &mut Picture) {
        let width = usize::from(picture.width()) * 4;
        let (left, length) = (usize::from(area.x) * 4, usize::from(area.w) * 4);
        let rows = picture.pixels_mut().chunks_exact_mut(width).skip(usize::from(area.y));
        for (row, into) in self.band.chunks_exact(self.layout.row(area.w)).zip(rows) {
            self.layout.convert(row, &mut into[left..left + length]);
        }
    }
}

impl Shared {
    /// Memory shared with the X server; `None` if the server is on another computer or doesn't
    /// support it.
    fn open(conn: &RustConnection) -> Result<Option<Self>, ScreenError> {
        if conn.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
            return Ok(None);
        }
        let version = shm::query_version(conn)?.reply()?;
        // MIT-SHM 1.2 passes file descriptors. Before it, a System V segment would be needed, which
        // stays behind when a program is killed.
        if (version.major_version, version.minor_version) < (1, 2) {
            return Ok(None);
        }
        let segment = conn.generate_id()?;
        let size = u32::try_from(SHARED).unwrap_or(u32::MAX);
        match shm::create_segment(conn, segment, size, false)?.reply() {
            Ok(reply) => Ok(Some(Self { segment, file: reply.shm_fd.into() })),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(ReplyError::ConnectionError(error)) => Err(error.into()),
        }
    }
}

/// Cuts an area into bands of whole rows.
fn bands(area: Rect, row: usize) -> impl Iterator<Item = Rect> {
    let rows = u16::try_from(BAND / row.max(1)).unwrap_or(u16::MAX).max(1);
    (0..area.h)
        .step_by(usize::from(rows))
        .map(move |top| Rect::new(area.x, area.y + top, area.w, rows.min(area.h - top)))
}
