//! Files that are replaced whole: a reader and a crash meet the old content or the new one, and nothing between.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use crate::output::directory_of;

/// Only the owner reads or writes a new file: these name every object and its attributes.
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
pub(crate) fn clear(path: &Path) {
    let prefix = prefix(path);
    let Ok(entries) = fs::read_dir(directory_of(path)) else { return };
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
/// else can. It gets mode and owner of the file `like`, if there is one. On an error `path` is as it was, as it is if
/// this process may not write it.
pub(crate) fn replace(
    path: &Path,
    like: Option<&Path>,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let like = like.and_then(|like| fs::metadata(like).ok());
    match access(path, Access::WRITE_OK) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
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
        if let Some(like) = &like {
            take_after(&file, like)?;
        }
        file.sync_all()?;
        prepare(&file)?;
        fs::rename(&new, path)
    };
    if let Err(error) = finish() {
        let _left_behind = fs::remove_file(&new);
        return Err(error);
    }
    // The rename is not durable before the directory is.
    File::open(directory_of(path))?.sync_all()?;
    Ok(file)
}

/// Makes a file of its own at `path`, durably.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if anything is there, a link that leads nowhere included.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        let _left_behind = fs::remove_file(path);
        return Err(error);
    }
    File::open(directory_of(path))?.sync_all()
}

/// Gives `file` the mode, owner and group of `like`. Only a privileged process may give a file away: where the owner
/// cannot be kept, the group is, and this process goes on as the owner. Where the group cannot be kept either, the one
/// that the file has may do no more than everybody.
pub(crate) fn take_after(file: &File, like: &Metadata) -> io::Result<()> {
    let ours = file.metadata()?;
    let mut mode = like.mode() & 0o777;
    let same = (ours.uid(), ours.gid()) == (like.uid(), like.gid());
    if !same && fchown(file, Some(like.uid()), Some(like.gid())).is_err() {
        if ours.uid() != like.uid() {
            mode |= MODE;
        }
        if ours.gid() != like.gid() && fchown(file, None, Some(like.gid())).is_err() {
            mode &= !0o070 | ((mode & 0o007) << 3);
        }
    }
    if mode != ours.mode() & 0o777 {
        // A file system without modes has none to keep.
        let _as_it_was_made = file.set_permissions(Permissions::from_mode(mode));
    }
    Ok(())
}
