//! Files that are replaced whole: a reader and a crash meet the old content or the new one, and nothing between.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Only the owner reads or writes: these files name every object and its attributes.
pub(crate) const MODE: u32 = 0o600;

const BUFFER: usize = 1 << 16;
/// The end of the name of a file that is not in its place yet; before it stands the number of its process.
const SUFFIX: &str = ".new";

/// The name of such a file up to the number.
fn prefix(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name
}

/// Removes what runs that were killed in the midst of [`replace`] left beside `path`. For those alone who know that
/// nobody else replaces it now. What cannot be removed hurts nobody.
pub(crate) fn clear(path: &Path, directory: &Path) {
    let prefix = prefix(path);
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let number = number.and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
        if number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit)) {
            let _left_behind = fs::remove_file(entry.path());
        }
    }
}

/// Puts a new file, filled by `fill`, in the place of `path`, durably and at once; `prepare` sees it before anybody
/// else can. On an error `path` is as it was.
pub(crate) fn replace(
    path: &Path,
    directory: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let mut name = prefix(path);
    name.push(format!("{}{SUFFIX}", std::process::id()));
    let new = path.with_file_name(name);
    let create = || OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&new);
    let mut file = match create() {
        // Left by a run that died and had the same process number.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&new)?;
            create()?
        }
        result => result?,
    };
    let finish = || {
        let mut buffered = io::BufWriter::with_capacity(BUFFER, &mut file);
        fill(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        file.sync_all()?;
        prepare(&file)?;
        fs::rename(&new, path)
    };
    if let Err(error) = finish() {
        let _left_behind = fs::remove_file(&new);
        return Err(error);
    }
    // The rename is not durable before the directory is.
    File::open(directory)?.sync_all()?;
    Ok(file)
}
