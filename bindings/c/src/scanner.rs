//! A scanner: a database, limits and options.

use std::ffi::c_char;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use esets_core::{Limits, Options, Records, Scanner, Text, UNPACKERS};

use crate::border::{Out, borrow, fence, free, text};
use crate::database::{Shared, esets_database};
use crate::result::{ESETS_ERROR_ARGUMENT, ESETS_ERROR_NULL, Failure, esets_result};

/// Which limit of a scan.
pub type esets_limit = i32;

/// The deepest nesting that is unpacked; at most 64.
pub const ESETS_LIMIT_DEPTH: esets_limit = 1;
/// Bytes of unpacked members in memory at a time.
pub const ESETS_LIMIT_MEMORY: esets_limit = 2;
/// Objects in one scan.
pub const ESETS_LIMIT_OBJECTS: esets_limit = 3;
/// Bytes of one member.
pub const ESETS_LIMIT_OBJECT_SIZE: esets_limit = 4;
/// Bytes unpacked per byte of the scanned object.
pub const ESETS_LIMIT_RATIO: esets_limit = 5;
/// Ways in which one ambiguous container is read.
pub const ESETS_LIMIT_READINGS: esets_limit = 6;
/// Bytes scanned in one scan; a larger file is not read.
pub const ESETS_LIMIT_SCAN_SIZE: esets_limit = 7;
/// Milliseconds that one scan may take; 0 for no limit.
pub const ESETS_LIMIT_TIME: esets_limit = 8;

/// What a scan looks for and what its verdict keeps.
pub type esets_option = i32;

/// 1 if heuristics run.
pub const ESETS_OPTION_HEURISTICS: esets_option = 1;
/// 1 if clean members get a record too.
pub const ESETS_OPTION_ALL_RECORDS: esets_option = 2;
/// 1 if potentially unsafe applications are looked for.
pub const ESETS_OPTION_UNSAFE: esets_option = 3;
/// 1 if potentially unwanted applications are looked for.
pub const ESETS_OPTION_UNWANTED: esets_option = 4;

/// A scanner.
pub struct esets_scanner {
    database: Arc<Shared>,
    settings: RwLock<Settings>,
}

/// What can be set on a scanner.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) options: Options,
    pub(crate) time: Option<Duration>,
}

/// A scanner as one scan sees it.
pub(crate) struct Ready {
    pub(crate) scanner: Scanner,
    pub(crate) scan_size: u64,
    pub(crate) time: Option<Duration>,
}

impl esets_scanner {
    pub(crate) fn new(database: &esets_database, settings: Settings) -> Self {
        Self { database: Arc::clone(&database.shared), settings: RwLock::new(settings) }
    }

    /// The scanner with the database and the settings of this moment.
    pub(crate) fn ready(&self) -> Ready {
        let Settings { limits, options, time } =
            self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let scan_size = limits.scan_size;
        let scanner = self.database.scanner().with_limits(limits).with_options(options);
        Ready { scanner, scan_size, time }
    }

    /// Changes the settings; those of running scans stay.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> T {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Settings {
    fn set_limit(&mut self, limit: esets_limit, value: u64) -> Result<(), Failure> {
        let limits = &mut self.limits;
        match limit {
            ESETS_LIMIT_DEPTH => limits.depth = narrow(value)?,
            ESETS_LIMIT_MEMORY => limits.memory = value,
            ESETS_LIMIT_OBJECTS => limits.objects = narrow(value)?,
            ESETS_LIMIT_OBJECT_SIZE => limits.object_size = value,
            ESETS_LIMIT_RATIO => limits.ratio = narrow(value)?,
            ESETS_LIMIT_READINGS => limits.readings = narrow(value)?,
            ESETS_LIMIT_SCAN_SIZE => limits.scan_size = value,
            ESETS_LIMIT_TIME => self.time = (value > 0).then(|| Duration::from_millis(value)),
            _ => return Err(Failure::new(ESETS_ERROR_ARGUMENT)),
        }
        Ok(())
    }

    fn limit(&self, limit: esets_limit) -> Result<u64, Failure> {
        let limits = &self.limits;
        Ok(match limit {
            ESETS_LIMIT_DEPTH => limits.depth.into(),
            ESETS_LIMIT_MEMORY => limits.memory,
            ESETS_LIMIT_OBJECTS => limits.objects.into(),
            ESETS_LIMIT_OBJECT_SIZE => limits.object_size,
            ESETS_LIMIT_RATIO => limits.ratio.into(),
            ESETS_LIMIT_READINGS => limits.readings.into(),
            ESETS_LIMIT_SCAN_SIZE => limits.scan_size,
            ESETS_LIMIT_TIME => {
                let milliseconds = self.time.unwrap_or_default().as_millis();
                u64::try_from(milliseconds).unwrap_or(u64::MAX)
            }
            _ => return Err(Failure::new(ESETS_ERROR_ARGUMENT)),
        })
    }

    fn set_option(&mut self, option: esets_option, value: u64) -> Result<(), Failure> {
        let on = match value {
            0 => false,
            1 => true,
            _ => return Err(Failure::new(ESETS_ERROR_ARGUMENT)),
        };
        let options = &mut self.options;
        match option {
            ESETS_OPTION_HEURISTICS => options.heuristics = on,
            ESETS_OPTION_ALL_RECORDS => {
                options.records = if on { Records::All } else { Records::Notable };
            }
            ESETS_OPTION_UNSAFE => options.unsafe_applications = on,
            ESETS_OPTION_UNWANTED => options.unwanted_applications = on,
            _ => return Err(Failure::new(ESETS_ERROR_ARGUMENT)),
        }
        Ok(())
    }

    fn option(&self, option: esets_option) -> Result<u64, Failure> {
        let options = &self.options;
        Ok(u64::from(match option {
            ESETS_OPTION_HEURISTICS => options.heuristics,
            ESETS_OPTION_ALL_RECORDS => options.records == Records::All,
            ESETS_OPTION_UNSAFE => options.unsafe_applications,
            ESETS_OPTION_UNWANTED => options.unwanted_applications,
            _ => return Err(Failure::new(ESETS_ERROR_ARGUMENT)),
        }))
    }

    fn skip_format(&mut self, name: &[u8]) -> Result<(), Failure> {
        let known = UNPACKERS.iter().map(|unpacker| unpacker.format().name);
        let Some(name) = known.into_iter().find(|known| known.as_bytes() == name) else {
            return Err(Failure::new(ESETS_ERROR_ARGUMENT));
        };
        self.options.skipped_formats.push(Text::Borrowed(name));
        Ok(())
    }
}

/// A value that has to fit a smaller number.
fn narrow<T: TryFrom<u64>>(value: u64) -> Result<T, Failure> {
    T::try_from(value).map_err(|_| Failure::new(ESETS_ERROR_ARGUMENT))
}

/// Makes a scanner with default limits and options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_new(
    database: *const esets_database,
    out: *mut *mut esets_scanner,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a database or NULL.
        let database = unsafe { borrow(database) }?;
        out.give(esets_scanner::new(database, Settings::default()));
        Ok(())
    })
}

/// Sets a limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_set_limit(
    scanner: *mut esets_scanner,
    limit: esets_limit,
    value: u64,
) -> esets_result {
    // SAFETY: the caller promises a scanner or NULL.
    fence(|| unsafe { borrow(scanner) }?.change(|settings| settings.set_limit(limit, value)))
}

/// Says what a limit is set to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_limit(
    scanner: *const esets_scanner,
    limit: esets_limit,
    value: *mut u64,
) -> esets_result {
    // SAFETY: the caller promises a scanner or NULL, and that `value` is NULL or may be written to.
    fence(|| unsafe { answer(scanner, value, |settings| settings.limit(limit)) })
}

/// Sets an option to 0 or 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_set_option(
    scanner: *mut esets_scanner,
    option: esets_option,
    value: u64,
) -> esets_result {
    // SAFETY: the caller promises a scanner or NULL.
    fence(|| unsafe { borrow(scanner) }?.change(|settings| settings.set_option(option, value)))
}

/// Says what an option is set to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_option(
    scanner: *const esets_scanner,
    option: esets_option,
    value: *mut u64,
) -> esets_result {
    // SAFETY: the caller promises a scanner or NULL, and that `value` is NULL or may be written to.
    fence(|| unsafe { answer(scanner, value, |settings| settings.option(option)) })
}

/// Leaves a format unopened; objects of that format are then not scanned, never clean.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_skip_format(
    scanner: *mut esets_scanner,
    format: *const c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a scanner or NULL.
        let scanner = unsafe { borrow(scanner) }?;
        // SAFETY: the caller promises a string or NULL.
        let format = unsafe { text(format) }?;
        scanner.change(|settings| settings.skip_format(format))
    })
}

/// Frees a scanner.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scanner_free(scanner: *mut esets_scanner) {
    // SAFETY: the caller promises that it is NULL or a scanner that is used no more.
    unsafe { free(scanner) }
}

/// Writes one setting to `value`.
///
/// # Safety
/// As those of the functions that call it.
unsafe fn answer(
    scanner: *const esets_scanner,
    value: *mut u64,
    question: impl FnOnce(&Settings) -> Result<u64, Failure>,
) -> Result<(), Failure> {
    // SAFETY: as this function's own.
    let value = unsafe { value.as_mut() };
    // SAFETY: as this function's own.
    let (scanner, Some(value)) = (unsafe { borrow(scanner) }?, value) else {
        return Err(Failure::new(ESETS_ERROR_NULL));
    };
    *value = scanner.change(|settings| question(settings))?;
    Ok(())
}
