//! Step two: raw words into [`ServeSettings`]. Every word is looked at even if an earlier one was
//! wrong, so that all mistakes come at once.

mod files;
mod head;
mod idle;
mod limits;
mod listen;
mod seen;
mod tls;

use super::{
    AppName, Bind, ConfigError, ConfigErrors, EventLoop, Interface, Key, Lifespan, Limits, Listen,
    LogSettings, Place, Preload, PythonWish, RawListener, RawMount, RawServe, Reload, Role, Said,
    ServeSettings, StaticFiles, StaticMount, Threads, choice,
    error::{Wrong, quoted},
    mount,
    nearest::nearest,
    socket, units,
};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

/// What the settings depend on besides words. A test makes its own.
pub(crate) struct Surroundings<'a> {
    /// The folder that `yett` was started in; relative paths of flags and variables start here.
    pub(crate) folder: PathBuf,
    /// The folder of the configuration file; its relative paths start there.
    pub(crate) file_folder: Option<PathBuf>,
    /// The folder for temporary files.
    pub(crate) temporary: PathBuf,
    /// How many CPUs this process may use.
    pub(crate) cpus: NonZeroUsize,
    /// Whether a folder exists.
    pub(crate) is_folder: &'a dyn Fn(&Path) -> bool,
    /// Users and groups.
    pub(crate) accounts: &'a socket::Accounts<'a>,
}

/// The settings, and sentences about what is allowed but probably not meant. `errors` are those
/// found while reading.
pub(super) fn settle(
    raw: &RawServe,
    around: &Surroundings<'_>,
    errors: Vec<ConfigError>,
) -> Result<(ServeSettings, Vec<String>), ConfigErrors> {
    let mut settling = Settling {
        raw,
        around,
        errors,
    };
    let settings = settling.settings();
    ConfigErrors::none(std::mem::take(&mut settling.errors))?;
    let Some(settings) = settings else {
        // Not reachable: whatever returned `None` has pushed an error.
        return Err(ConfigError::new(Place::Default, "a setting is missing").into());
    };
    let warnings = settling.warnings(&settings);
    Ok((settings, warnings))
}

/// Defaults that are others with `reload`, beside one worker.
mod develop {
    use std::time::Duration;

    /// A request may stand in a debugger for as long as somebody looks at it.
    pub(super) const TIMEOUT: Duration = Duration::ZERO;
    /// Nobody waits for the old code.
    pub(super) const GRACE: Duration = Duration::from_secs(1);
}

pub(super) struct Settling<'a> {
    pub(super) raw: &'a RawServe,
    around: &'a Surroundings<'a>,
    pub(super) errors: Vec<ConfigError>,
}

impl Settling<'_> {
    /// `None` only if an error was pushed.
    fn settings(&mut self) -> Option<ServeSettings> {
        let around = self.around;
        let app = self.said(Key::App, AppName::parse);
        let folder = self.folder(Key::Chdir, &around.folder);
        let python = self.python();
        let interface = self.one(Key::Interface, Interface::parse);
        let reload = self.one(Key::Reload, Reload::parse);
        let develops = reload.is_some_and(|reload| reload != Reload::Off);
        let (listeners, tls) = self.listeners();
        let redirect_port = self.redirect_port();
        let hsts = self.hsts();
        let head = self.head();
        self.need_trust(&listeners, head.as_ref());
        let security_headers = self.one(Key::SecurityHeaders, head::security_headers);
        let routes = self.routes();
        let mounts = self.mounts();
        let files = self.files();
        let sendfile = self.sendfile();
        let workers = self.workers(develops);
        let threads = self.one(Key::Threads, Threads::parse);
        let concurrency = self.one(Key::Concurrency, |text| whole(text, 1, 100_000));
        let event_loop = self.one(Key::Loop, EventLoop::parse);
        let lifespan = self.one(Key::Lifespan, Lifespan::parse);
        let mut timeout = self.duration(Key::Timeout, Duration::ZERO, 24);
        let mut graceful_timeout = self.duration(Key::GracefulTimeout, Duration::ZERO, 24);
        let start_timeout = self.duration(Key::StartTimeout, Duration::from_secs(1), 24);
        if develops {
            self.unless_said(Key::Timeout, &mut timeout, develop::TIMEOUT);
            self.unless_said(Key::GracefulTimeout, &mut graceful_timeout, develop::GRACE);
        }
        let max_requests = self.one(Key::MaxRequests, |text| whole(text, 0, u64::MAX));
        let max_requests_jitter = self.one(Key::MaxRequestsJitter, |text| {
            whole(text, 0, u64::from(u32::MAX))
        });
        let max_rss = self.one(Key::MaxRss, max_rss);
        let preload = self.one(Key::Preload, Preload::parse);
        let limits = self.limits();
        let http2 = self.http2();
        let compression = self.compression();
        let websocket = self.websocket();
        let drain_delay = self.duration(Key::DrainDelay, Duration::ZERO, 1);
        let admin = self.admin(&listeners);
        let admin_hosts = self.admin_hosts();
        let log = self.log(head.as_ref());
        let pid_file = self.file_in_folder(Key::PidFile);
        let http2 = http2?;
        Some(ServeSettings {
            app: app?,
            folder: folder?,
            python,
            interface: interface?,
            reload: reload?,
            listeners,
            tls: tls?.map(|tls| tls::speaking(tls, &http2)),
            redirect_port: redirect_port?,
            hsts: hsts?,
            head: head?,
            security_headers: security_headers?,
            routes,
            mounts,
            files: files?,
            sendfile,
            workers: workers?,
            threads: threads?,
            concurrency: non_zero(concurrency?)?,
            event_loop: event_loop?,
            lifespan: lifespan?,
            timeout: timeout.map(|timeout| (!timeout.is_zero()).then_some(timeout))?,
            graceful_timeout: graceful_timeout?,
            start_timeout: start_timeout?,
            max_requests: NonZeroU64::new(max_requests?),
            max_requests_jitter: max_requests_jitter?,
            max_rss: max_rss?,
            preload: preload?,
            limits: limits?,
            http2,
            compression: compression?,
            websocket: websocket?,
            drain_delay: drain_delay?,
            admin: admin?,
            admin_hosts,
            log: log?,
            pid_file,
        })
    }

    /// Where a setting was said.
    pub(super) fn place_of(&self, key: Key) -> Place {
        let said = self.raw.list(key).first();
        said.map_or(Place::Default, |said| said.place.clone())
    }

    /// Says what is wrong at a place.
    pub(super) fn refuse(
        &mut self,
        place: &Place,
        wrong: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let error = ConfigError::new(place.clone(), wrong).expected(expected);
        self.errors.push(error);
    }

    fn unless_said<T>(&self, key: Key, value: &mut Option<T>, instead: T) {
        if self.raw.one(key).is_none() {
            *value = Some(instead);
        }
    }

    /// A single value: what was said, or else the table's default. `None` only if an error was
    /// pushed.
    pub(super) fn one<T>(
        &mut self,
        key: Key,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = key.row().default.unwrap_or_default();
        let default = Said::new(text, Place::Default);
        let raw = self.raw;
        let said = raw.one(key).unwrap_or(&default);
        self.keep(&said.place, parse(&said.text))
    }

    /// A single value without a default. The outer `None` only if an error was pushed.
    fn said<T>(&mut self, key: Key, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<Option<T>> {
        let raw = self.raw;
        match raw.one(key) {
            None => Some(None),
            Some(said) => self.keep(&said.place, parse(&said.text)).map(Some),
        }
    }

    pub(super) fn keep<T>(&mut self, place: &Place, result: Result<T, Wrong>) -> Option<T> {
        result
            .map_err(|wrong| self.errors.push(wrong.at(place.clone())))
            .ok()
    }

    pub(super) fn duration(
        &mut self,
        key: Key,
        least: Duration,
        most_hours: u64,
    ) -> Option<Duration> {
        self.one(key, |text| {
            let duration = units::duration(text)?;
            let most = Duration::from_secs(most_hours * 3_600);
            if (least..=most).contains(&duration) {
                return Ok(duration);
            }
            let range = format!(
                "from {} to {}",
                units::duration_text(least),
                units::duration_text(most)
            );
            Err(Wrong::new(
                format!("{} is out of range", quoted(text)),
                range,
            ))
        })
    }

    fn workers(&mut self, develops: bool) -> Option<NonZeroUsize> {
        let cpus = self.around.cpus;
        if develops && self.raw.one(Key::Workers).is_none() {
            return Some(NonZeroUsize::MIN);
        }
        self.one(Key::Workers, |text| match text {
            "auto" => Ok(cpus),
            _ => whole(text, 1, yett_supervisor::MAX_WORKERS as u64)
                .map(|workers| non_zero(workers).unwrap_or(cpus))
                .map_err(|_| {
                    Wrong::new(
                        format!("{} is not a number of workers", quoted(text)),
                        "a number from 1 to 256, or auto",
                    )
                }),
        })
    }

    /// A folder that must exist. `None` only if an error was pushed.
    fn folder(&mut self, key: Key, default: &Path) -> Option<PathBuf> {
        let raw = self.raw;
        match raw.one(key) {
            None => Some(default.to_owned()),
            Some(said) => self.existing(said),
        }
    }

    /// The folder that a word names, made absolute. `None` only if an error was pushed.
    fn existing(&mut self, said: &Said) -> Option<PathBuf> {
        let folder = self.absolute(&said.text, &said.place);
        self.need_folder(&folder, &said.place).then_some(folder)
    }

    /// A file that is to be made in a folder that exists.
    pub(super) fn file_in_folder(&mut self, key: Key) -> Option<PathBuf> {
        let said = self.raw.one(key)?;
        let path = self.absolute(&said.text, &said.place);
        self.need_folder(path.parent().unwrap_or(&path), &said.place);
        Some(path)
    }

    fn python(&self) -> Option<PythonWish> {
        let said = self.raw.one(Key::Python)?;
        Some(if said.text.contains('/') {
            PythonWish::Path(self.absolute(&said.text, &said.place))
        } else {
            PythonWish::Name(said.text.clone())
        })
    }

    pub(super) fn need_folder(&mut self, folder: &Path, place: &Place) -> bool {
        let exists = (self.around.is_folder)(folder);
        if !exists {
            let wrong = format!("there is no folder {}", quoted(&folder.to_string_lossy()));
            self.refuse(place, wrong, "a folder that exists");
        }
        exists
    }

    /// A path made absolute from where it was written: the file's folder, or the folder that `yett`
    /// was started in.
    pub(super) fn absolute(&self, text: &str, place: &Place) -> PathBuf {
        let from = match place {
            Place::File { .. } | Place::WholeFile(_) => self
                .around
                .file_folder
                .as_ref()
                .unwrap_or(&self.around.folder),
            Place::Flag(_) | Place::Variable(_) | Place::Default => &self.around.folder,
        };
        // `components` drops "." without touching "..", which a symlink may give another meaning.
        from.join(text).components().collect()
    }
}

fn describe(said: &Said) -> String {
    match &said.place {
        Place::Flag(flag) => format!("{flag} {}", said.text),
        Place::Variable(_) | Place::File { .. } | Place::WholeFile(_) | Place::Default => {
            said.place.to_string()
        }
    }
}

/// A whole number within bounds.
fn whole(text: &str, least: u64, most: u64) -> Result<u64, Wrong> {
    let expected = match most {
        u64::MAX => format!("a whole number from {least}"),
        _ => format!("a whole number from {least} to {most}"),
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<u64>().ok()).flatten();
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(_) => Err(Wrong::new(
            format!("{} is out of range", quoted(text)),
            expected,
        )),
        None => Err(Wrong::new(
            format!("{} is not a whole number", quoted(text)),
            expected,
        )),
    }
}

/// A worker's memory. Less than an interpreter needs can only be a wrong unit.
fn max_rss(text: &str) -> Result<Option<NonZeroU64>, Wrong> {
    let bytes = units::size(text)?;
    if bytes == 0 || (16 << 20..=1 << 40).contains(&bytes) {
        return Ok(NonZeroU64::new(bytes));
    }
    let range = "from 16MiB to 1024GiB, or 0";
    Err(Wrong::new(
        format!("{} is out of range", quoted(text)),
        range,
    ))
}

fn size(text: &str, least: u64, most: u64) -> Result<u64, Wrong> {
    let bytes = units::size(text)?;
    if (least..=most).contains(&bytes) {
        return Ok(bytes);
    }
    let range = format!(
        "from {} to {}",
        units::size_text(least),
        units::size_text(most)
    );
    Err(Wrong::new(
        format!("{} is out of range", quoted(text)),
        range,
    ))
}

fn non_zero(number: u64) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(number).ok()?)
}
