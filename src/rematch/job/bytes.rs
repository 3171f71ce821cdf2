//! Numbers and lists as bytes, little endian: data that is read by the thousand is not stored as JSON. Pure.

/// The bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("任务数据已损坏")]
pub struct Damaged;

/// Encodes values as bytes.
#[derive(Debug, Clone, Default)]
pub struct Writer(Vec<u8>);

/// Decodes bytes; never reads beyond their end, and allocates no more memory than their size.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

// === impl Writer ===

impl Writer {
    /// Writes a 16-bit integer.
    pub fn i16(&mut self, value: i16) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes a 32-bit integer.
    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes a 64-bit integer.
    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes a 128-bit integer.
    pub fn u128(&mut self, value: u128) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes a 32-bit float.
    pub fn f32(&mut self, value: f32) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes a 64-bit float.
    pub fn f64(&mut self, value: f64) {
        self.0.extend(value.to_le_bytes());
    }

    /// Writes the length, then each element.
    pub fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        for value in values {
            write(self, value);
        }
    }

    /// Returns the bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// A reader at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    /// Reads a 16-bit integer.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn i16(&mut self) -> Result<i16, Damaged> {
        self.take().map(i16::from_le_bytes)
    }

    /// Reads a 32-bit integer.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u32(&mut self) -> Result<u32, Damaged> {
        self.take().map(u32::from_le_bytes)
    }

    /// Reads a 64-bit integer.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u64(&mut self) -> Result<u64, Damaged> {
        self.take().map(u64::from_le_bytes)
    }

    /// Reads a 128-bit integer.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u128(&mut self) -> Result<u128, Damaged> {
        self.take().map(u128::from_le_bytes)
    }

    /// Reads a 32-bit float.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn f32(&mut self) -> Result<f32, Damaged> {
        self.take().map(f32::from_le_bytes)
    }

    /// Reads a 64-bit float.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn f64(&mut self) -> Result<f64, Damaged> {
        self.take().map(f64::from_le_bytes)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`Damaged`] if it ends early.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
        let count = self.u32()? as usize;
        // an element has at least one byte, so a wrong count allocates no more memory than the bytes
        if self.0.len() < count {
            return Err(Damaged);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    /// [`Damaged`] if bytes are left.
    pub fn end(&self) -> Result<(), Damaged> {
        if self.0.is_empty() { Ok(()) } else { Err(Damaged) }
    }
}
