//! Forms a state file has, or is mistaken for: what is no state of format 4, with the words that name it; and flat attributes, as
//! Terraform wrote them up to 0.11. All values are invented. Shares nothing with the code that reads them.

use serde_json::{Map, Value, json};

/// A file that is no state as it is.
pub struct Form {
    /// Its name, for people.
    pub name: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Words that name it.
    pub told: &'static str,
    /// Words of the way on; empty where a whole copy is the way on.
    pub way: &'static str,
}

/// Every form there is, of this state.
pub fn forms(good: &str) -> Vec<Form> {
    let form = |name, bytes: Vec<u8>, told, way| Form { name, bytes, told, way };
    let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let version = |version: u64| {
        json!({ "version": version, "serial": 1, "lineage": "x", "modules": [] }).to_string().into_bytes()
    };
    let state: Value = serde_json::from_str(good).expect("a state");
    let with = |key: &str, value: Value| {
        let mut state = state.clone();
        state[key] = value;
        state.to_string().into_bytes()
    };
    let refresh = "terraform apply -refresh-only";
    let mut flat = state.clone();
    let instance = &mut flat["resources"][0]["instances"][0];
    instance.as_object_mut().expect("an object").remove("attributes");
    instance["attributes_flat"] = json!({ "id": "x", "tags.%": "3", "tags.a": "b" });
    let half = good.len() / 2;
    vec![
        form("format 1", version(1), "format version 1", refresh),
        form("format 2", version(2), "format version 2", refresh),
        form("format 3", version(3), "format version 3", refresh),
        form("a later format", version(5), "format version 5", "the release"),
        form("flat attributes that cannot be read", flat.to_string().into_bytes(), "`attributes_flat`", refresh),
        form("UTF-16, little-endian, marked", [&b"\xff\xfe"[..], &le(good)].concat(), "UTF-16", "iconv -f UTF-16LE"),
        form("UTF-16, big-endian, marked", [&b"\xfe\xff"[..], &be(good)].concat(), "UTF-16", "iconv -f UTF-16BE"),
        form("UTF-16, little-endian", le(good), "UTF-16", "iconv -f UTF-16LE"),
        form("UTF-16, big-endian", be(good), "UTF-16", "iconv -f UTF-16BE"),
        form("UTF-32", b"\xff\xfe\0\0{\0\0\0}\0\0\0".to_vec(), "UTF-32", "iconv -f UTF-32"),
        form("Latin-1", good.replacen("aws", "\u{e9}", 1).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(), "not UTF-8", "UTF-8"),
        form(
            "OpenTofu's encryption",
            json!({ "serial": 4, "lineage": "l", "meta": { "key_provider.pbkdf2.x": "e30=" }, "encrypted_data": "AAAA", "encryption_version": "v0" }).to_string().into_bytes(),
            "encrypted by OpenTofu",
            "tofu state pull",
        ),
        form("OpenTofu's encryption beside a version", with("encrypted_data", "AAAA".into()), "encrypted by OpenTofu", "tofu"),
        form(
            "sops",
            json!({ "version": "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:int]", "sops": { "mac": "ENC[]" } }).to_string().into_bytes(),
            "encrypted by sops",
            "sops decrypt",
        ),
        form("sops, in part", with("sops", json!({ "mac": "ENC[]", "version": "3.9.0" })), "encrypted by sops", "sops decrypt"),
        form("age", b"age-encryption.org/v1\n-> X25519 aaaa\n".to_vec(), "encrypted by age", "decrypt it"),
        form("age, armoured", b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n".to_vec(), "encrypted by age", "decrypt it"),
        form("GnuPG, armoured", b"-----BEGIN PGP MESSAGE-----\n\nhQ==\n".to_vec(), "encrypted by GnuPG", "decrypt it"),
        form("GnuPG", b"\x85\x02\x0c\x03\xff\xfe\xfd".to_vec(), "encrypted by GnuPG", "decrypt it"),
        form("git-crypt", b"\0GITCRYPT\0\x01\x02\xff".to_vec(), "encrypted by git-crypt", "git-crypt unlock"),
        form("ansible-vault", b"$ANSIBLE_VAULT;1.1;AES256\n6638\n".to_vec(), "encrypted by ansible-vault", "decrypt it"),
        form(
            "Git LFS",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".to_vec(),
            "a pointer of Git LFS",
            "git lfs pull",
        ),
        form(
            "merge markers",
            format!("{{\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n}}\n", &good[1..half], &good[1..half]).into_bytes(),
            "git merged",
            "git checkout --ours",
        ),
        form("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "compressed by gzip", "unpack it"),
        form("xz", b"\xfd7zXZ\0\0\x04".to_vec(), "compressed by xz", "unpack it"),
        form("zstd", b"\x28\xb5\x2f\xfd\0".to_vec(), "compressed by zstd", "unpack it"),
        form(
            "the JSON of a state",
            json!({ "format_version": "1.0", "terraform_version": "1.11.4", "values": {} }).to_string().into_bytes(),
            "a state as JSON",
            "terraform state pull",
        ),
        form(
            "the JSON of a plan",
            json!({ "format_version": "1.2", "planned_values": {}, "resource_changes": [] }).to_string().into_bytes(),
            "a plan as JSON",
            "terraform state pull",
        ),
        form("a web page", b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>".to_vec(), "a web page", "terraform state pull"),
        form("XML", b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>".to_vec(), "XML", "terraform state pull"),
        form("YAML", b"version: 4\nserial: 1\n".to_vec(), "YAML", "terraform state pull"),
        form("a configuration", b"resource \"aws_vpc\" \"this\" {\n}\n".to_vec(), "a configuration of Terraform", "state pull"),
        form("zero bytes", vec![0; 512], "zero bytes", ""),
        form("cut off", good.as_bytes()[..half].to_vec(), "it is cut off", ""),
        form("cut off at once", b"{".to_vec(), "it is cut off", ""),
    ]
}

/// Sets in the provider's schema: their items are under hashes.
const SETS: [&str; 8] = [
    "egress",
    "ingress",
    "security_groups",
    "subnet_ids",
    "vpc_security_group_ids",
    "enabled_cloudwatch_logs_exports",
    "replicas",
    "ebs_block_device",
];
/// Maps in the provider's schema; every other object is a block.
const MAPS: [&str; 3] = ["tags", "tags_all", "volume_tags"];

/// Attributes as texts under dotted names (`hcl2shim.FlatmapValueFromHCL2`); `hash` makes the names of a set's items.
pub fn flatten(attributes: &Map<String, Value>, hash: &mut dyn FnMut() -> u32) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in attributes {
        put(&mut flat, name, name, value, hash);
    }
    flat
}

fn put(flat: &mut Map<String, Value>, path: &str, name: &str, value: &Value, hash: &mut dyn FnMut() -> u32) {
    match value {
        Value::Null => {}
        Value::Bool(value) => drop(flat.insert(path.to_owned(), value.to_string().into())),
        Value::Number(value) => drop(flat.insert(path.to_owned(), value.to_string().into())),
        Value::String(text) => drop(flat.insert(path.to_owned(), text.clone().into())),
        Value::Array(items) => {
            flat.insert(format!("{path}.#"), items.len().to_string().into());
            for (at, item) in items.iter().enumerate() {
                let mut key = at.to_string();
                while SETS.contains(&name)
                    && (key == at.to_string() || flat.keys().any(|k| k.starts_with(&format!("{path}.{key}"))))
                {
                    key = format!("1{}", hash());
                }
                put(flat, &format!("{path}.{key}"), "", item, hash);
            }
        }
        Value::Object(map) if MAPS.contains(&name) => {
            flat.insert(format!("{path}.%"), map.len().to_string().into());
            for (key, item) in map {
                put(flat, &format!("{path}.{key}"), "", item, hash);
            }
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| put(flat, &format!("{path}.{key}"), key, item, hash)),
    }
}

/// A state with the attributes of every object as Terraform 0.12 keeps those of 0.11.
pub fn flattened(state: &str, hash: &mut dyn FnMut() -> u32) -> String {
    let mut state: Value = serde_json::from_str(state).expect("a state");
    for resource in state["resources"].as_array_mut().expect("resources") {
        for instance in resource["instances"].as_array_mut().expect("instances") {
            let instance = instance.as_object_mut().expect("an instance");
            let attributes = instance.remove("attributes").expect("attributes");
            let flat = flatten(attributes.as_object().expect("an object"), hash);
            instance.insert("attributes_flat".to_owned(), flat.into());
        }
    }
    state.to_string()
}
