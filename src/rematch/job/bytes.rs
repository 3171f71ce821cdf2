//! Numbers and lists as bytes, little endian: what is read by the thousand is not kept as JSON. Pure.

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("任务数据已损坏")]
pub struct Damaged;

/// Collects bytes.
#[derive(Debug, Clone, Default)]
pub struct Writer(Vec<u8>);

/// Takes bytes apart; never reads beyond their end, and takes no more memory than they do.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

// === impl Writer ===

impl Writer {
    /// A number of 16 bits.
    pub fn i16(&mut self, value: i16) {
        self.0.extend(value.to_le_bytes());
    }

    /// A number of 32 bits.
    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    /// A number of 64 bits.
    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// A number of 128 bits.
    pub fn u128(&mut self, value: u128) {
        self.0.extend(value.to_le_bytes());
    }

    /// A float of 32 bits.
    pub fn f32(&mut self, value: f32) {
        self.0.extend(value.to_le_bytes());
    }

    /// A float of 64 bits.
    pub fn f64(&mut self, value: f64) {
        self.0.extend(value.to_le_bytes());
    }

    /// How many, then each.
    pub fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        for value in values {
            write(self, value);
        }
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number of 16 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn i16(&mut self) -> Result<i16, Damaged> {
        self.take().map(i16::from_le_bytes)
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u32(&mut self) -> Result<u32, Damaged> {
        self.take().map(u32::from_le_bytes)
    }

    /// A number of 64 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u64(&mut self) -> Result<u64, Damaged> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number of 128 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn u128(&mut self) -> Result<u128, Damaged> {
        self.take().map(u128::from_le_bytes)
    }

    /// A float of 32 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn f32(&mut self) -> Result<f32, Damaged> {
        self.take().map(f32::from_le_bytes)
    }

    /// A float of 64 bits.
    ///
    /// # Errors
    /// [`Damaged`] at the end.
    pub fn f64(&mut self) -> Result<f64, Damaged> {
        self.take().map(f64::from_le_bytes)
    }

    /// A list.
    ///
    /// # Errors
    /// [`Damaged`] where it ends early.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
        let count = self.u32()? as usize;
        // an element has a byte at least, so that a wrong number takes no more memory than the bytes do
        if self.0.len() < count {
            return Err(Damaged);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Whether everything is read.
    ///
    /// # Errors
    /// [`Damaged`] where something is left.
    pub fn end(&self) -> Result<(), Damaged> {
        if self.0.is_empty() { Ok(()) } else { Err(Damaged) }
    }
}
