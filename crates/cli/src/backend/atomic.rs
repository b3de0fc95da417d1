//! Files that are replaced whole: a reader and a crash meet the old content or the new one, and nothing between.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Only the owner reads or writes: these files name every object and its attributes.
pub(crate) const MODE: u32 = 0o600;

const BUFFER: usize = 1 << 16;

/// Puts a new file, filled by `fill`, in the place of `path`, durably and at once; `prepare` sees it before anybody
/// else can. On an error `path` is as it was.
pub(crate) fn replace(
    path: &Path,
    directory: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
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
