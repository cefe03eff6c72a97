//! Photos as files: which ones contacts may have, and what they are called.
//!
//! A photo is known by the SHA-256 of its bytes; the card holds the digest, the store the bytes. Of the picture itself
//! nothing is looked at but its kind and its size, which stand near the beginning of the file.

use bytes::Bytes;

use super::contact::Photo;
use super::digest::Digest;

/// The most bytes that a photo for Google may have.
///
/// Source: no document states a limit; this is what the dossier on the People API assumes (section 16).
pub const BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most pixels that its longer side may have; Google scales down what is larger.
pub const PIXELS_MAX: u32 = 720;

/// The bytes of a photo, under the name that follows from them.
#[derive(Clone, PartialEq, Eq)]
pub struct PhotoFile {
    digest: Digest,
    bytes: Bytes,
}

impl PhotoFile {
    /// The photo that is made of these bytes, whatever they are.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        PhotoFile { digest: Digest::of_bytes(&bytes), bytes }
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How a card names it.
    pub fn photo(&self) -> Photo {
        Photo { digest: self.digest.to_string() }
    }
}

/// The bytes stay out of logs.
impl std::fmt::Debug for PhotoFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhotoFile({}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// The kinds of pictures that both sides can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind of that name")]
pub enum PictureKind {
    Jpeg,
    Png,
}

impl PictureKind {
    /// The extension that files of this kind have.
    pub fn extension(self) -> &'static str {
        match self {
            PictureKind::Jpeg => "jpg",
            PictureKind::Png => "png",
        }
    }
}

/// What the head of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Its kind.
    pub kind: PictureKind,
    /// How wide it is, in pixels.
    pub width: u32,
    /// How high it is, in pixels.
    pub height: u32,
}

/// Why bytes cannot be the photo of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// They are something else.
    #[error("this is no JPEG or PNG picture; a photo has to be one of them")]
    NoPicture,
    /// There are too many.
    #[error("the picture has {bytes} bytes; a photo has at most {BYTES_MAX}: save it with less quality")]
    TooManyBytes {
        /// How many there are.
        bytes: usize,
    },
    /// The picture is too large.
    #[error("the picture is {width} x {height} pixels; a photo is at most {PIXELS_MAX} x {PIXELS_MAX}: scale it down")]
    TooManyPixels {
        /// How wide it is.
        width: u32,
        /// How high it is.
        height: u32,
    },
}

/// Makes sure that a photo may travel to Google.
///
/// # Errors
/// [`PhotoError`] names the rule that the bytes break.
pub fn check(bytes: &[u8]) -> Result<Picture, PhotoError> {
    let picture = picture(bytes).ok_or(PhotoError::NoPicture)?;
    if bytes.len() > BYTES_MAX {
        return Err(PhotoError::TooManyBytes { bytes: bytes.len() });
    }
    let Picture { width, height, .. } = picture;
    if width.max(height) > PIXELS_MAX {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    Ok(picture)
}

/// What the head of a JPEG or PNG picture says; `None` for anything else, and for a picture without extent.
pub fn picture(bytes: &[u8]) -> Option<Picture> {
    let read = png(bytes).or_else(|| jpeg(bytes))?;
    (read.width > 0 && read.height > 0).then_some(read)
}

/// Source: PNG specification, section 11.2.2: the first chunk is IHDR, and begins with width and height.
fn png(bytes: &[u8]) -> Option<Picture> {
    let head = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    if head.get(4..8)? != b"IHDR" {
        return None;
    }
    Some(Picture { kind: PictureKind::Png, width: four(head.get(8..12)?)?, height: four(head.get(12..16)?)? })
}

/// Source: ITU-T T.81, annex B: markers follow each other by the lengths of their segments until the frame header, which
/// tells precision, height and width.
fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        rest = rest.strip_prefix(b"\xff")?;
        let (marker, after) = rest.split_first()?;
        match marker {
            // Fill bytes may stand in front of a marker.
            0xff => continue,
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => {
                rest = after;
                continue;
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (height, width) = (two(after.get(3..5)?)?, two(after.get(5..7)?)?);
                return Some(Picture { kind: PictureKind::Jpeg, width, height });
            }
            // Image data, or the end, before any frame header.
            0xd9 | 0xda => return None,
            _ => {}
        }
        rest = after.get(usize::try_from(two(after.get(..2)?)?).ok()?..)?;
    }
}

fn two(bytes: &[u8]) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn four(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0]);
        bytes
    }

    fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
        // A comment, fill bytes and the header of a progressive frame.
        let mut bytes = b"\xff\xd8\xff\xfe\0\x05abc\xff\xff\xff\xc2\0\x0b\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([1, 1, 0x11, 0]);
        bytes
    }

    #[test]
    fn kind_and_size_are_read_from_the_head() {
        let png = Picture { kind: PictureKind::Png, width: 640, height: 480 };
        let jpeg = Picture { kind: PictureKind::Jpeg, width: 720, height: 16 };
        assert_eq!(check(&png_of(640, 480)), Ok(png));
        assert_eq!(check(&jpeg_of(720, 16)), Ok(jpeg));
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_no_picture() {
        for whole in [png_of(2, 3), jpeg_of(2, 3)] {
            let known = (0..whole.len()).filter(|end| picture(&whole[..*end]).is_some()).count();
            assert!(known < whole.len() / 2, "most of the head is needed");
        }
        for bytes in [&b"GIF89a"[..], b"", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xfe\xff\xffabc", &png_of(0, 3)] {
            assert_eq!(check(bytes), Err(PhotoError::NoPicture), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_with_the_rule_it_breaks() {
        assert_eq!(check(&png_of(721, 8)), Err(PhotoError::TooManyPixels { width: 721, height: 8 }));
        let mut heavy = jpeg_of(8, 8);
        heavy.resize(BYTES_MAX + 1, 0);
        assert_eq!(check(&heavy), Err(PhotoError::TooManyBytes { bytes: BYTES_MAX + 1 }));
        heavy.truncate(BYTES_MAX);
        assert!(check(&heavy).is_ok());
    }

    #[test]
    fn a_photo_is_called_by_its_bytes_and_not_printed() {
        let file = PhotoFile::of(&b"secret"[..]);
        assert_eq!(file.photo().digest, Digest::of_bytes(b"secret").to_string());
        assert!(!format!("{file:?}").contains("secret"));
    }
}
