//! Sources that are made to break a compiler end in an error.
