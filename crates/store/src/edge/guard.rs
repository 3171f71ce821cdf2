//! Turns panics of the engine into errors.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use qdrant_edge::OperationResult;

/// Runs a call into the engine; an error or panic is returned as its message.
///
/// The engine's locks do not poison, so a panicked read is harmless. After a panicked write the caller reloads the
/// shard.
pub(super) fn guarded<T>(call: impl FnOnce() -> OperationResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(message(panic.as_ref())),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "the engine panicked".to_string())
}

#[cfg(test)]
mod tests {
    use qdrant_edge::OperationError;

    use super::*;

    #[test]
    fn panics_and_errors_become_text() {
        // `resume_unwind` does not call the panic hook, so nothing is printed
        let panic = |payload: Box<dyn Any + Send>| guarded::<()>(|| std::panic::resume_unwind(payload)).unwrap_err();
        assert_eq!(panic(Box::new("no lock")), "no lock");
        assert_eq!(panic(Box::new("disk full".to_string())), "disk full");
        assert_eq!(panic(Box::new(7)), "the engine panicked");
        assert!(guarded::<()>(|| Err(OperationError::service_error("bad"))).unwrap_err().contains("bad"));
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }
}
