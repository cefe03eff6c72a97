//! What the service makes of the pictures it is given: other bytes that show the same.
//!
//! The real service scales and compresses anew; here a remark goes into the file, which says for which size it was
//! made. It is a valid picture all the same, and never the bytes that were uploaded.

use bytes::Bytes;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Signature and header chunk of a PNG picture.
const PNG_HEAD_BYTES: usize = 33;
const JPEG: &[u8] = b"\xff\xd8";

/// Whether these bytes begin like a picture of a kind that can be uploaded.
pub fn is_picture(bytes: &[u8]) -> bool {
    [PNG, b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF"].iter().any(|magic| bytes.starts_with(magic))
}

/// The picture as it is served in a size.
pub fn served(picture: &[u8], size: &str) -> Bytes {
    let remark = format!("Software\0sandbox, {size}");
    match picture {
        png if png.starts_with(PNG) && png.len() >= PNG_HEAD_BYTES => {
            let mut chunk = b"tEXt".to_vec();
            chunk.extend(remark.as_bytes());
            let length = u32::try_from(remark.len()).unwrap_or_default().to_be_bytes();
            let sum = crc(&chunk).to_be_bytes();
            let (head, rest) = png.split_at(PNG_HEAD_BYTES);
            [head, &length, &chunk, &sum, rest].concat().into()
        }
        jpeg if jpeg.starts_with(JPEG) => {
            let length = u16::try_from(remark.len() + 2).unwrap_or(2).to_be_bytes();
            let rest = jpeg.strip_prefix(JPEG).unwrap_or_default();
            [JPEG, b"\xff\xfe", &length, remark.as_bytes(), rest].concat().into()
        }
        other => [other, remark.as_bytes()].concat().into(),
    }
}

/// The sum behind each chunk of a PNG picture.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_pictures_are_pictures_and_never_what_was_uploaded() {
        let png = [PNG, b"\0\0\0\x0dIHDR", &[0; 17], b"\0\0\0\0IEND\xae\x42\x60\x82"].concat();
        for picture in [png, b"\xff\xd8\xff\xd9".to_vec(), b"GIF89a".to_vec()] {
            let (small, large) = (served(&picture, "s100"), served(&picture, "s720"));
            assert!(is_picture(&small) && small != picture && small != large);
            assert_eq!(small, served(&picture, "s100"));
        }
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }
}
