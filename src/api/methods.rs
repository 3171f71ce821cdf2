//! All methods of our services, as their descriptors say them.

use std::{collections::HashMap, sync::Arc};

use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto};

/// A method.
#[derive(Debug, Clone)]
pub struct Method {
    /// Its name.
    pub name: Arc<str>,
    /// Full name of the type of its requests.
    pub input: Arc<str>,
    /// Whether a caller sends many messages.
    pub takes_stream: bool,
    /// Whether the answer has many messages.
    pub sends_stream: bool,
}

/// All methods, by their paths.
#[derive(Debug)]
pub struct Methods(HashMap<String, Method>);

// === impl Methods ===

impl Methods {
    /// Reads the descriptors.
    pub fn new() -> Self {
        let files = FileDescriptorSet::decode(duijie_proto::DESCRIPTORS).map(|set| set.file).unwrap_or_default();
        Self(files.iter().flat_map(of_file).collect())
    }

    /// The method of a path; `None` if it is none of ours.
    pub fn get(&self, path: &str) -> Option<Method> {
        self.0.get(path).cloned()
    }
}

#[cfg(test)]
impl Methods {
    /// All methods.
    pub fn all(&self) -> impl Iterator<Item = &Method> {
        self.0.values()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|method| &*method.name)
    }
}

fn of_file(file: &FileDescriptorProto) -> impl Iterator<Item = (String, Method)> + '_ {
    file.service.iter().flat_map(move |service| {
        let path = format!("/{}.{}", file.package(), service.name());
        service.method.iter().map(move |method| (format!("{path}/{}", method.name()), of_method(method)))
    })
}

fn of_method(method: &MethodDescriptorProto) -> Method {
    Method {
        name: method.name().into(),
        input: method.input_type().trim_start_matches('.').into(),
        takes_stream: method.client_streaming(),
        sends_stream: method.server_streaming(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_what_their_descriptors_say() {
        let methods = Methods::new();
        let import = methods.get("/duijie.v1.CatalogService/ImportRecords").unwrap();
        assert_eq!((&*import.name, &*import.input), ("ImportRecords", "duijie.v1.ImportRecordsRequest"));
        assert_eq!((import.takes_stream, import.sends_stream), (true, false));
        let watch = methods.get("/duijie.v1.WatchService/Watch").unwrap();
        assert_eq!((watch.takes_stream, watch.sends_stream), (false, true));
        assert!(methods.get("/duijie.v1.CatalogService/Nothing").is_none());
    }
}
