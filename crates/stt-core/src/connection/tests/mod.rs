mod data;
mod hostile;
mod keys;
mod pair;
mod paths;
