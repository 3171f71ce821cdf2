//! All methods of our services, as their descriptors say them.

use std::{collections::HashMap, sync::Arc};

use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto};

use super::convert::access::role_in;
use crate::identity::Role;

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
    /// Roles that may call it; none but an administrator's where nothing is known.
    pub roles: Arc<[Role]>,
}

/// All methods, by their paths.
#[derive(Debug)]
pub struct Methods(HashMap<String, Method>);

// === impl Methods ===

impl Methods {
    /// Reads the descriptors.
    pub fn new() -> Self {
        let files = FileDescriptorSet::decode(duijie_proto::DESCRIPTORS).map(|set| set.file).unwrap_or_default();
        let roles: HashMap<&str, &[i32]> = duijie_proto::METHOD_ROLES.iter().copied().collect();
        let mut methods: HashMap<String, Method> = files.iter().flat_map(of_file).collect();
        for (path, method) in &mut methods {
            let allowed = roles.get(path.as_str()).copied().unwrap_or_default();
            method.roles = allowed.iter().filter_map(|role| role_in(*role)).collect();
        }
        Self(methods)
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
        roles: Arc::default(),
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

    #[test]
    fn every_method_says_who_may_call_it() {
        let methods = Methods::new();
        assert_eq!(methods.all().count(), duijie_proto::METHOD_ROLES.len());
        assert!(methods.all().all(|method| !method.roles.is_empty()));
        let may = |name: &str| -> Vec<Role> {
            let method = methods.all().find(|method| &*method.name == name).unwrap();
            Role::ALL.into_iter().filter(|role| role.is_among(&method.roles)).collect()
        };
        use Role::{Administrator, Contributor, EventStaff, Operator};
        assert_eq!(may("Match"), Role::ALL);
        assert_eq!(may("DeleteRecord"), [Contributor, Administrator]);
        assert_eq!(may("RecordOutcomes"), [EventStaff, Administrator]);
        assert_eq!(may("CreateSnapshot"), [Operator, Administrator]);
        assert_eq!(may("FindDuplicates"), [Contributor, Operator, Administrator]);
        assert_eq!(may("CreateApiKey"), [Administrator]);
    }
}
