//! The Drywire command line as a library.
