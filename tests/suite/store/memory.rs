//! What only the store in memory does.
