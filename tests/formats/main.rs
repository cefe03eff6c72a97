//! Contact files in and out, through the public functions of `contactsync::formats`.

mod beside;
mod csv;
mod damage;
mod demo_sample;
mod round_trip;
mod sheets;
mod skip_file;
mod spreadsheets;
mod support;
mod vcards;
