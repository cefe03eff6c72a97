//! What several queries share: lists of values, in pieces that the database takes.

use sqlx::{Encode, QueryBuilder, Sqlite, Type};

/// The most values in one statement. The database takes many more; larger statements are not faster.
pub(super) const VALUES_MAX: usize = 500;

/// Adds `(value, value, …)`.
pub(super) fn push_list<T>(query: &mut QueryBuilder<Sqlite>, values: impl IntoIterator<Item = T>)
where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send + 'static,
{
    query.push("(");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

/// The values sorted, each once, in pieces of at most [`VALUES_MAX`].
pub(super) fn pieces<T: Ord>(values: &[T]) -> Vec<Vec<&T>> {
    let mut sorted: Vec<&T> = values.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted.chunks(VALUES_MAX).map(<[&T]>::to_vec).collect()
}
