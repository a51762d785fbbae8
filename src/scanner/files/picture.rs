//! Icons and logos, as they are stored.
//!
//! Of a bitmap only the pixels are kept: it is decoded within limits, scaled down and encoded again. A drawing (SVG 2)
//! is stored unchanged if it has no scripts, references to other files, animations or unlimited repetition. Pages
//! show it in an `<img>`.

use std::io::Cursor;
use std::sync::Arc;

use image::{DynamicImage, ImageFormat, ImageReader};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::values::picture::{Picture, PictureType};
use crate::values::site_files::SiteFile;

/// Maximum bytes that are read of a picture.
pub(super) const MAX_PICTURE_BYTES: u64 = 512 * 1024;
/// Maximum bytes of a drawing that is stored.
const MAX_SVG_BYTES: usize = 64 * 1024;
/// Maximum pixels in each direction of a picture that is decoded, and maximum memory for decoding it.
const MAX_SIDE: u32 = 4096;
const MAX_DECODED_BYTES: u64 = 64 * 1024 * 1024;
/// Maximum elements of a drawing, how deep they may be nested, and how often it may reuse a part.
const MAX_ELEMENTS: usize = 2000;
const MAX_DEPTH: usize = 64;
const MAX_USES: usize = 12;

/// The largest width and height of a stored picture: twice what pages show, for dense screens.
fn box_of(file: SiteFile) -> (u32, u32) {
    match file {
        SiteFile::Logo => (480, 160),
        _ => (64, 64),
    }
}

/// The picture as it is stored, or why it is refused.
pub(super) fn picture(file: SiteFile, url: String, bytes: &[u8]) -> Result<Picture, String> {
    match image::guess_format(bytes) {
        Ok(format) => pixels(file, url, bytes, format),
        Err(_) => drawing(url, bytes),
    }
}

fn pixels(file: SiteFile, url: String, bytes: &[u8], format: ImageFormat) -> Result<Picture, String> {
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let unreadable = |error: image::ImageError| format!("the picture cannot be decoded: {error}");
    let decoded = reader.decode().map_err(unreadable)?;
    let (width, height) = box_of(file);
    let fitting = if decoded.width() > width || decoded.height() > height {
        decoded.thumbnail(width, height)
    } else {
        decoded
    };
    let mut content = Cursor::new(Vec::new());
    let fitting = DynamicImage::ImageRgba8(fitting.to_rgba8());
    fitting
        .write_to(&mut content, ImageFormat::Png)
        .map_err(|error| format!("the picture cannot be encoded: {error}"))?;
    Ok(Picture {
        url,
        media_type: PictureType::Png,
        width: Some(fitting.width()),
        height: Some(fitting.height()),
        body: None,
        content: content.into_inner().into(),
    })
}

fn drawing(url: String, bytes: &[u8]) -> Result<Picture, String> {
    let unknown = || "it is not a PNG, JPEG, GIF, WebP, ICO or SVG".to_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| unknown())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('<') || !text.contains("<svg") {
        return Err(unknown());
    }
    if text.len() > MAX_SVG_BYTES {
        return Err(format!("the SVG is larger than {MAX_SVG_BYTES} bytes"));
    }
    require_inert(text)?;
    Ok(Picture {
        url,
        media_type: PictureType::Svg,
        content: Arc::from(text.as_bytes()),
        ..Picture::default()
    })
}

/// Refuses a drawing with scripts, animations, references to other files, entities or too many repeated parts.
fn require_inert(text: &str) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut drawing = Drawing::default();
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("the SVG is not well-formed: {error}"))?
        {
            Event::Start(element) => {
                drawing.enter(&element)?;
                drawing
                    .open
                    .push(element.local_name().as_ref().to_ascii_lowercase());
            }
            Event::Empty(element) => drawing.enter(&element)?,
            Event::End(_) => {
                drawing.open.pop();
            }
            Event::Text(text) => drawing.read_text(&text)?,
            Event::CData(text) => drawing.read_text(&text)?,
            // An internal subset can define entities that repeat themselves (XML 1.0, 4.2).
            Event::DocType(declared) if declared.contains('[') => {
                return Err("the SVG has a document type with declarations".to_owned());
            }
            Event::PI(_) => return Err("the SVG has a processing instruction".to_owned()),
            Event::Eof => break,
            Event::GeneralRef(_) => drawing.read_text("&")?,
            Event::Comment(_) | Event::Decl(_) | Event::DocType(_) => {}
        }
    }
    if drawing.elements == 0 || !drawing.open.is_empty() {
        return Err("the SVG is not complete".to_owned());
    }
    Ok(())
}

/// The state of checking a drawing.
#[derive(Default)]
struct Drawing {
    open: Vec<String>,
    elements: usize,
    uses: usize,
}

impl Drawing {
    /// Whether an open element is one that is shown wherever another element refers to it.
    fn is_in_reusable(&self) -> bool {
        let reusable = ["clippath", "mask", "pattern", "marker", "filter"];
        self.open.iter().any(|name| reusable.contains(&name.as_str()))
    }

    fn enter(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let name = element.local_name().as_ref().to_ascii_lowercase();
        let refused = |what: &str| Err(format!("the SVG has {what}"));
        self.elements += 1;
        if self.elements == 1 && name != "svg" {
            return Err(format!("it is XML, but its root is <{name}> instead of <svg>"));
        }
        if self.elements > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return refused("too many elements");
        }
        match name.as_str() {
            "script" | "foreignobject" | "image" | "feimage" | "iframe" | "object" | "embed" | "audio"
            | "video" | "handler" | "listener" | "set" => return refused(&format!("an element <{name}>")),
            _ if name.starts_with("animate") => return refused(&format!("an element <{name}>")),
            "use" => {
                self.uses += 1;
                // Each may show a part that itself contains `<use>`.
                if self.uses > MAX_USES || self.is_in_reusable() {
                    return refused("too many or nested <use> elements");
                }
            }
            _ => {}
        }
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| format!("the SVG is not well-formed: {error}"))?;
            let name = attribute.key.local_name().as_ref().to_ascii_lowercase();
            let value = &attribute.value;
            if name.starts_with("on") {
                return refused(&format!("an attribute {name}"));
            }
            if name == "href" && !value.trim_start().starts_with('#') {
                return refused("a link to another document");
            }
            self.require_own(value)?;
        }
        Ok(())
    }

    fn read_text(&self, text: &str) -> Result<(), String> {
        if self.open.last().is_none_or(|name| name != "style") {
            return Ok(());
        }
        if text.to_ascii_lowercase().contains("url(") || text.contains(['@', '\\', '&']) {
            return Err("the SVG has styles that refer to other resources".to_owned());
        }
        Ok(())
    }

    /// Refuses a value that refers to anything but a part of the drawing itself, and any reference within such a part.
    fn require_own(&self, value: &str) -> Result<(), String> {
        let value = value.to_ascii_lowercase();
        if value.contains("&#") || value.contains('\\') {
            return Err("the SVG has escaped values".to_owned());
        }
        for (at, _) in value.match_indices("url(") {
            let target = value[at + 4..].trim_start_matches([' ', '"', '\'', '&', 'q', 'u', 'o', 't', ';']);
            if !target.starts_with('#') {
                return Err("the SVG refers to another resource".to_owned());
            }
            if self.is_in_reusable() {
                return Err("the SVG has nested references".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut content = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height)
            .write_to(&mut content, ImageFormat::Png)
            .unwrap();
        content.into_inner()
    }

    fn logo(bytes: &[u8]) -> Result<Picture, String> {
        picture(SiteFile::Logo, "u".into(), bytes)
    }

    fn svg(inside: &str) -> String {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{inside}</svg>"#)
    }

    #[test]
    fn pixels_are_made_smaller_and_nothing_else_of_the_file_is_kept() {
        let mut file = png(1200, 300);
        file.extend_from_slice(b"<script>alert(1)</script>");
        let found = logo(&file).unwrap();
        assert_eq!(
            (found.width, found.height, found.media_type),
            (Some(480), Some(120), PictureType::Png)
        );
        assert!(!found.content.windows(7).any(|part| part == b"<script"));
        let small = picture(SiteFile::Icon, "u".into(), &png(16, 16)).unwrap();
        assert_eq!((small.width, small.height), (Some(16), Some(16)));
    }

    #[test]
    fn each_format_of_icons_is_read() {
        for format in [
            ImageFormat::Ico,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let mut content = Cursor::new(Vec::new());
            let image = DynamicImage::new_rgb8(32, 32);
            let image = if format == ImageFormat::Jpeg {
                image
            } else {
                image.to_rgba8().into()
            };
            image.write_to(&mut content, format).unwrap();
            let found = picture(SiteFile::Icon, "u".into(), &content.into_inner());
            assert_eq!(found.unwrap().width, Some(32), "{format:?}");
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused_before_it_takes_memory() {
        let html = b"<!DOCTYPE html><title>Not found</title><svg></svg>";
        assert!(logo(html).unwrap_err().contains("root is <"), "{:?}", logo(html));
        assert!(logo(b"GIF89a").unwrap_err().contains("cannot be decoded"));
        assert!(logo(b"").unwrap_err().contains("it is not a PNG"));
        let cut = &png(300, 300)[..60];
        assert!(logo(cut).unwrap_err().contains("cannot be decoded"));
        // A few bytes that claim 20,000 by 20,000 pixels, or fewer with 16 bits in each of four channels.
        for (side, depth_and_colour) in [(20_000_u32, [8, 2]), (4096, [16, 6])] {
            let mut bomb = png(8, 8);
            bomb[16..20].copy_from_slice(&side.to_be_bytes());
            bomb[20..24].copy_from_slice(&side.to_be_bytes());
            bomb[24..26].copy_from_slice(&depth_and_colour);
            let checksum = crc(&bomb[12..29]);
            bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
            assert!(
                logo(&bomb).unwrap_err().contains("imit"),
                "{side}: {:?}",
                logo(&bomb)
            );
        }
    }

    /// The checksum of a chunk (PNG, annex D).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn a_drawing_of_shapes_is_kept_as_it_is() {
        let plain = svg(
            "<defs><linearGradient id='g'/><clipPath id='c'><path d='M0 0'/></clipPath></defs>\
             <style>.a{fill:#f00}</style><g clip-path='url(#c)'><path class='a' fill=\"url(#g)\" d='M0 0h9'/></g>\
             <use href='#g'/>",
        );
        let found = logo(plain.as_bytes()).unwrap();
        assert_eq!(
            (found.media_type, &*found.content),
            (PictureType::Svg, plain.as_bytes())
        );
        let old = format!(
            "\u{feff}<?xml version='1.0'?>\n<!-- made by hand --><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\">{plain}"
        );
        assert!(logo(old.as_bytes()).is_ok(), "{:?}", logo(old.as_bytes()));
    }

    #[test]
    fn a_drawing_that_runs_loads_moves_or_multiplies_is_refused() {
        let uses: String = "<use href='#a'/>".repeat(MAX_USES + 1);
        let deep = format!("{}{}", "<g>".repeat(100), "</g>".repeat(100));
        for inside in [
            "<script>alert(1)</script>",
            "<g onload='alert(1)'/>",
            "<a href='javascript:alert(1)'/>",
            "<use xlink:href='https://evil.test/#a'/>",
            "<image href='https://evil.test/a.png'/>",
            "<foreignObject><p>x</p></foreignObject>",
            "<path fill='url(https://evil.test/#a)'/>",
            "<style>@import 'https://evil.test/a.css';</style>",
            "<style>a{fill:u\\72l(x)}</style>",
            "<style>a{fill:&#117;rl(x)}</style>",
            "<path fill='&#117;rl(https://evil.test/#a)'/>",
            "<animate attributeName='x'/>",
            "<mask id='m'><g mask='url(#n)'/></mask>",
            "<pattern><use href='#a'/></pattern>",
            uses.as_str(),
            deep.as_str(),
            "<g>",
        ] {
            assert!(logo(svg(inside).as_bytes()).is_err(), "{inside}");
        }
        let entities = format!("<!DOCTYPE svg [<!ENTITY a \"ha\">]>{}", svg("<text>&a;</text>"));
        assert!(logo(entities.as_bytes()).unwrap_err().contains("declarations"));
    }
}
