//! What an adapter announces and what it was found to have.

/// The interface version that this DryBox speaks.
pub const ABI_VERSION: &str = "1.0";

/// `sdu_max_bytes` of an adapter that announces none (users' document, section 2.1).
pub const DEFAULT_SDU_MAX_BYTES: usize = 1024;

/// The audio format that an adapter announces; DryBox itself is fixed at 8 kHz and 160 samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioParams {
    /// Samples per second.
    pub sr: u32,
    /// Samples per block.
    pub block: u32,
}

/// The answer to `nade_capabilities()`, completed by the methods that the adapter was found to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The announced interface version, if any.
    pub abi_version: Option<String>,
    /// Mode A is announced, or judged by the methods where nothing is announced.
    pub bytelink: bool,
    /// Mode B, likewise.
    pub audioblock: bool,
    /// The largest SDU before SAR, in bytes.
    pub sdu_max_bytes: usize,
    /// The announced audio format, if any.
    pub audioparams: Option<AudioParams>,
    /// `on_timer` exists and is to be called.
    pub timer: bool,
    /// `send_sdu` exists: the adapter takes scripted text messages.
    pub takes_messages: bool,
    /// Remarks made while loading (an unusual callback name, a missing announcement …): warnings in
    /// a run, failures in `drybox check`.
    pub remarks: Vec<String>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            abi_version: Some(ABI_VERSION.to_owned()),
            bytelink: false,
            audioblock: false,
            sdu_max_bytes: DEFAULT_SDU_MAX_BYTES,
            audioparams: None,
            timer: true,
            takes_messages: false,
            remarks: Vec::new(),
        }
    }
}
