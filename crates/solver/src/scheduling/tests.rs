mod edges;
mod model;
mod properties;
mod published;
