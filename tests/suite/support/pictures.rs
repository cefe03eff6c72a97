//! Pictures, as much of them as anybody here looks at.

/// A PNG picture of this size; pictures of different shades have different bytes.
pub fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"\0\0\0\x01IDAT");
    bytes.extend([shade, 0, 0, 0, 0]);
    bytes.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

/// A small picture.
pub fn picture(shade: u8) -> Vec<u8> {
    png(96, 96, shade)
}
