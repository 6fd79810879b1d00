//! The schemas that are checked in are those of the types.
//!
//! `HEADROOM_WRITE_SCHEMA=1 cargo test -p headroom-ipc --test protocol` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn the_files_are_the_schemas_of_the_types() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schema"));
    let wanted: BTreeMap<String, String> = headroom_ipc::schema::all()
        .into_iter()
        .map(|(name, schema)| {
            (name, serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n")
        })
        .collect();
    if std::env::var_os("HEADROOM_WRITE_SCHEMA").is_some() {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("the folder");
        for (name, text) in &wanted {
            fs::write(folder.join(name), text).expect("a schema");
        }
    }
    let found: BTreeMap<String, String> = fs::read_dir(folder)
        .expect("the folder of schemas")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, fs::read_to_string(&path).expect("a schema"))
        })
        .collect();
    let advice = "HEADROOM_WRITE_SCHEMA=1 cargo test -p headroom-ipc --test protocol";
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted), "write them anew: {advice}");
    for (name, text) in &wanted {
        assert_eq!(&found[name], text, "{name} is out of step; write it anew: {advice}");
    }
}
