//! `esets.cfg` with the files it names, from the disk.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use esets_policy::Policy;
use esets_policy::config::{Config, ConfigErrors, LAYOUT, Value, find_key};

/// Where the configuration lies if nobody says otherwise; it need not exist.
pub(crate) fn default_file() -> String {
    LAYOUT.expand("@ETCDIR@/esets.cfg")
}

/// What programs say of their option for the configuration.
pub(crate) fn help() -> String {
    format!("The configuration [default: {} if it exists]", default_file())
}

/// The configuration that the caller names, which must exist, or that of [`default_file`], or
/// an empty one.
///
/// # Errors
/// Every mistake, a line each.
pub(crate) fn load(file: Option<&Path>) -> Result<(Config, Policy), Vec<String>> {
    let default = default_file();
    let path = Path::new(&default);
    match file {
        Some(file) => read(file),
        None if path.try_exists().unwrap_or(true) => read(path),
        None => parse(&default, b"", Path::new("/")),
    }
}

/// The folder of the database, if the configuration names one.
pub(crate) fn base_dir(config: &Config) -> Option<PathBuf> {
    match &config.setting("global", "base_dir")?.value {
        Value::Text(folder) => Some(LAYOUT.expand(folder).into()),
        _ => None,
    }
}

/// The folder of the quarantine: the one that the caller names, else that of the configuration.
///
/// # Errors
/// The first mistake in the configuration.
pub(crate) fn quarantine(folder: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(folder) = folder {
        return Ok(folder.to_path_buf());
    }
    let (config, _) = load(config).map_err(|mistakes| mistakes.join("\n"))?;
    let set = config.setting("global", KEY).map(|setting| setting.value.clone());
    let value = set.or_else(|| find_key(KEY)?.default_value());
    let Some(Value::Text(folder)) = value else { return Err(format!("{KEY} is not set")) };
    Ok(LAYOUT.expand(&folder).into())
}

/// The configuration in a file.
///
/// # Errors
/// Every mistake, a line each.
pub(crate) fn read(file: &Path) -> Result<(Config, Policy), Vec<String>> {
    let name = file.display().to_string();
    let bytes = read_file(file).map_err(|error| vec![format!("{name}: {error}")])?;
    parse(&name, &bytes, file.parent().unwrap_or(Path::new("/")))
}

fn parse(name: &str, bytes: &[u8], folder: &Path) -> Result<(Config, Policy), Vec<String>> {
    let config = Config::parse(name, bytes).map_err(|mistakes| lines(&mistakes))?;
    let policy = Policy::from_config(&config, |file| read_file(&folder.join(file)));
    Ok((config, policy.map_err(|mistakes| lines(&mistakes))?))
}

/// A regular file of at most 64 MiB.
///
/// # Errors
/// Those of reading, and `FileTooLarge`.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (file, _) = esets_sys::open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
    }
    Ok(bytes)
}

fn lines(mistakes: &ConfigErrors) -> Vec<String> {
    mistakes.problems.iter().map(ToString::to_string).collect()
}

const KEY: &str = "quarantine_dir";
const LONGEST: u64 = 64 << 20;
