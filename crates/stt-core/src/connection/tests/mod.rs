mod data;
mod ecn;
mod hostile;
mod keys;
mod pair;
mod paths;
