//! Every text that the program can say, as a type: the id and the arguments it takes.
//!
//! It holds no wording: that is in the `.ftl` files beside it, one a language. Invariant: a text
//! exists in all five files with exactly the arguments listed here; the catalogue's tests hold it
//! to that, so nothing outside of them has to think about a missing text.

use fluent_bundle::FluentArgs;

use crate::result::{Factor, Invalid, Measure, Mode, Side, Verdict};

/// Generates the enum, its ids and its arguments from one table.
macro_rules! messages {
    ($($name:ident $({ $($field:ident: $kind:ty),+ })? = $id:literal;)+) => {
        /// A text of the catalogue with the arguments that it takes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Message<'a> {
            $(
                #[doc = concat!("The text `", $id, "`.")]
                $name $({
                    $(
                        #[doc = concat!("Put in place of `$", stringify!($field), "`.")]
                        $field: $kind,
                    )+
                })?,
            )+
        }

        impl Message<'_> {
            /// The id in the catalogue's files.
            pub const fn id(&self) -> &'static str {
                match self {
                    $(Self::$name $({ $($field: _),+ })? => $id,)+
                }
            }

            /// The arguments by name.
            pub(super) fn arguments(&self) -> FluentArgs<'_> {
                #[allow(unused_mut, reason = "most texts take no argument")]
                let mut arguments = FluentArgs::new();
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        $($(arguments.set(stringify!($field), *$field);)+)?
                    })+
                }
                arguments
            }
        }

        /// Id and argument names of every text.
        #[cfg(test)]
        pub(super) const SPECIFICATIONS: &[(&str, &[&str])] = &[
            $(($id, &[$($(stringify!($field)),+)?]),)+
        ];
    };
}

messages! {
    // The report as a whole.
    ReportTitle = "report-title";
    ReportLead { scenarios: u64, findings: u64 } = "report-lead";
    ReportFooter { version: &'a str, schema: &'a str } = "report-footer";
    ReportRunning = "report-running";
    ReportEmpty = "report-empty";
    NoteSmoke = "note-smoke";
    NoteQuick = "note-quick";
    NoteInvalid = "note-invalid";
    NoteAbsolute = "note-absolute";

    // Headings.
    HeadingSummary = "heading-summary";
    HeadingConditions = "heading-conditions";
    HeadingReading = "heading-reading";
    HeadingFindings = "heading-findings";
    HeadingRemarks = "heading-remarks";
    HeadingDifferences = "heading-differences";
    HeadingContenders = "heading-contenders";
    HeadingMeasurements = "heading-measurements";
    HeadingPlots = "heading-plots";
    HeadingSweep = "heading-sweep";
    HeadingFactors = "heading-factors";
    HeadingSource = "heading-source";

    // Heads of columns and names of fields.
    ColumnScenario = "column-scenario";
    ColumnClaim = "column-claim";
    ColumnCase = "column-case";
    ColumnPublished = "column-published";
    ColumnMeasured = "column-measured";
    ColumnNaive = "column-naive";
    ColumnVerdict = "column-verdict";
    ColumnContender = "column-contender";
    ColumnSide = "column-side";
    ColumnServer = "column-server";
    ColumnFramework = "column-framework";
    ColumnDriver = "column-driver";
    ColumnConcurrency = "column-concurrency";
    ColumnSettings = "column-settings";
    ColumnRate = "column-rate";
    ColumnMaximum = "column-maximum";
    ColumnErrors = "column-errors";
    ColumnCpu = "column-cpu";
    ColumnMemory = "column-memory";
    ColumnCost { currency: &'a str } = "column-cost";
    ColumnNote = "column-note";
    ColumnFactor = "column-factor";
    ColumnStep = "column-step";
    ColumnRatio = "column-ratio";
    ColumnShare = "column-share";
    ColumnLatency = "column-latency";

    // Conditions of a run.
    FieldProcessor = "field-processor";
    FieldCores { cores: u64 } = "field-cores";
    FieldVirtual = "field-virtual";
    FieldMemory = "field-memory";
    FieldKernel = "field-kernel";
    FieldPython = "field-python";
    FieldPostgres = "field-postgres";
    FieldMode = "field-mode";
    FieldSeed = "field-seed";
    FieldRounds = "field-rounds";
    FieldStarted = "field-started";
    FieldFinished = "field-finished";
    FieldPrices = "field-prices";
    FieldPricesText {
        vcpu: &'a str, gib: &'a str, requests: &'a str, second: &'a str, currency: &'a str
    } = "field-prices-text";
    FieldPriceSource = "field-price-source";
    FieldVersions = "field-versions";
    FieldPlacement = "field-placement";
    FieldPlacementText { application: &'a str, others: &'a str } = "field-placement-text";
    FieldSpeed = "field-speed";
    FieldSpeedText { low: &'a str, high: &'a str, moved: &'a str } = "field-speed-text";
    FieldNotPinned = "field-not-pinned";
    FieldElapsed = "field-elapsed";

    // Modes.
    ModeSmoke = "mode-smoke";
    ModeQuick = "mode-quick";
    ModeFull = "mode-full";

    // Verdicts and outcomes.
    VerdictConfirmed = "verdict-confirmed";
    VerdictRefuted = "verdict-refuted";
    VerdictInconclusive = "verdict-inconclusive";
    VerdictInvalid = "verdict-invalid";
    VerdictNotMeasured = "verdict-not-measured";
    OutcomeNotMeasured { reason: &'a str } = "outcome-not-measured";
    OutcomeFailed { reason: &'a str } = "outcome-failed";
    ContenderMissing { reason: &'a str } = "contender-missing";

    // Why a measurement is no result.
    InvalidGenerator = "invalid-generator";
    InvalidOthers = "invalid-others";
    InvalidNoisy = "invalid-noisy";
    InvalidStolen = "invalid-stolen";
    InvalidForeign = "invalid-foreign";
    InvalidOf { count: u64, all: u64, reasons: &'a str } = "invalid-of";

    // Sides, measures, factors.
    SideSync = "side-sync";
    SideAsync = "side-async";
    SideReference = "side-reference";
    MeasureThroughput = "measure-throughput";
    MeasureP50 = "measure-p50";
    MeasureP99 = "measure-p99";
    MeasureOpenP50 = "measure-open-p50";
    MeasureOpenP99 = "measure-open-p99";
    MeasureErrors = "measure-errors";
    MeasureCpu = "measure-cpu";
    MeasureMemory = "measure-memory";
    MeasureCost = "measure-cost";
    MeasureIdle = "measure-idle";
    MeasureTime = "measure-time";
    MeasureUnitMemory = "measure-unit-memory";
    MeasureStart = "measure-start";
    MeasureSwitch = "measure-switch";
    FactorServer = "factor-server";
    FactorFramework = "factor-framework";
    FactorDriver = "factor-driver";
    FactorConcurrency = "factor-concurrency";
    FactorGather = "factor-gather";
    FactorLoop = "factor-loop";
    FactorTuning = "factor-tuning";
    FactorTotal = "factor-total";

    // Claims.
    ClaimTuned = "claim-tuned";
    ClaimHigher = "claim-higher";
    ClaimLower = "claim-lower";
    Labelled { label: &'a str, value: &'a str } = "labelled";
    Joined { first: &'a str, second: &'a str } = "joined";
    AtRate { rate: &'a str } = "at-rate";
    CasesInAll { count: u64 } = "cases-in-all";
    UsersInAll { count: u64 } = "users-in-all";
    ModelSays { gain: &'a str } = "model-says";
    ShippedSays { gain: &'a str } = "shipped-says";
    SweepBest = "sweep-best";
    SweepFailed = "sweep-failed";
    SweepOf { contender: &'a str, case: &'a str } = "sweep-of";

    // How to read a report.
    ReadRatio = "read-ratio";
    ReadVerdict = "read-verdict";
    ReadDirection = "read-direction";
    ReadInconclusive = "read-inconclusive";
    ReadInvalid = "read-invalid";
    ReadNaive = "read-naive";
    ReadModel = "read-model";
    ReadShipped = "read-shipped";
    ReadTuned = "read-tuned";
    ReadLatency = "read-latency";
    ReadFactors = "read-factors";
    ReadCost = "read-cost";
    ReadAbsolute = "read-absolute";

    // Plots: titles, descriptions, axes, legends.
    PlotLatency { case: &'a str } = "plot-latency";
    PlotLatencyOpen { case: &'a str, rate: &'a str } = "plot-latency-open";
    PlotLatencyAbout = "plot-latency-about";
    PlotUsers { parameters: &'a str } = "plot-users";
    PlotUsersAbout = "plot-users-about";
    PlotPrediction = "plot-prediction";
    PlotPredictionAbout = "plot-prediction-about";
    PlotModel = "plot-model";
    PlotModelAbout = "plot-model-about";
    PlotForest = "plot-forest";
    PlotForestAbout = "plot-forest-about";
    PlotFactors { case: &'a str } = "plot-factors";
    PlotFactorsAbout = "plot-factors-about";
    PlotRegion { claim: &'a str } = "plot-region";
    PlotRegionAbout = "plot-region-about";
    AxisPercentile = "axis-percentile";
    AxisLatency = "axis-latency";
    AxisUsers = "axis-users";
    AxisThroughput = "axis-throughput";
    AxisPredicted = "axis-predicted";
    AxisModel = "axis-model";
    AxisMeasured = "axis-measured";
    AxisRatio = "axis-ratio";
    LegendPublished = "legend-published";
    LegendEqual = "legend-equal";
    LegendMore = "legend-more";
    LegendLess = "legend-less";

    // Two runs side by side.
    CompareTitle = "compare-title";
    CompareRuns { first: &'a str, second: &'a str } = "compare-runs";
    CompareMachines = "compare-machines";
    CompareModes = "compare-modes";
    CompareField { field: &'a str, first: &'a str, second: &'a str } = "compare-field";
    CompareVersions = "compare-versions";
    CompareFindings = "compare-findings";
    CompareThroughputs = "compare-throughputs";
    CompareVerdicts { changed: u64, count: u64 } = "compare-verdicts";
    CompareOnlyFirst { name: &'a str } = "compare-only-first";
    CompareOnlySecond { name: &'a str } = "compare-only-second";
    CompareNothing = "compare-nothing";
    CompareRatioHead = "compare-ratio-head";

    // What endpoints cost and wait for.
    GaugeTitle = "gauge-title";
    GaugeProcesses { count: u64 } = "gauge-processes";
    GaugeMemory { memory: &'a str } = "gauge-memory";
    RequestsInAll { count: u64, requests: &'a str } = "requests-in-all";
    GaugeTraffic { requests: &'a str, time: &'a str, rate: &'a str } = "gauge-traffic";
    GaugeTrafficPart { requests: &'a str, time: &'a str } = "gauge-traffic-part";
    GaugeInFlight { mean: &'a str } = "gauge-in-flight";
    GaugeServerCpu { time: &'a str } = "gauge-server-cpu";
    GaugeLoop { share: &'a str } = "gauge-loop";
    GaugeEmpty = "gauge-empty";
    GaugeRead = "gauge-read";
    GaugeReadBlocking = "gauge-read-blocking";
    GaugeReadCalls = "gauge-read-calls";
    GaugeReadTogether = "gauge-read-together";
    GaugeAtMost = "gauge-at-most";
    GaugeNarrow { columns: &'a str } = "gauge-narrow";
    GaugeDoubts = "gauge-doubts";
    GaugeWritten { path: &'a str } = "gauge-written";
    GaugeWatching { path: &'a str, time: &'a str } = "gauge-watching";
    GaugeWaiting = "gauge-waiting";
    GaugeEnded = "gauge-ended";
    GaugeSampling { pid: &'a str, time: &'a str } = "gauge-sampling";
    CalibrateWritten { path: &'a str, names: &'a str } = "calibrate-written";
    ColumnEndpoint = "column-endpoint";
    ColumnRequests = "column-requests";
    ColumnCpuMs = "column-cpu-ms";
    ColumnWaitMs = "column-wait-ms";
    ColumnP99Ms = "column-p99-ms";
    ColumnBlocking = "column-blocking";
    ColumnWaits = "column-waits";
    ColumnStalls = "column-stalls";
    ColumnPlace = "column-place";
    ColumnWaitedIn = "column-waited-in";
    ColumnCount = "column-count";
    ColumnLongestMs = "column-longest-ms";
    ColumnCpuShare = "column-cpu-share";
    ColumnResource = "column-resource";
    ColumnCalls = "column-calls";
    ColumnCallWait = "column-call-wait";
    ColumnGather = "column-gather";
    ColumnBlockingCalls = "column-blocking-calls";
    PlotTimes = "plot-times";
    PlotTimesAbout = "plot-times-about";
    AxisTimes = "axis-times";
    LegendComputing = "legend-computing";
    LegendStalls = "legend-stalls";
    LegendWaiting = "legend-waiting";

    // What async would bring.
    PredictTitle = "predict-title";
    PredictLoopTitle = "predict-loop-title";
    PredictVerdict { verdict: &'a str } = "predict-verdict";
    PredictMigrate = "predict-migrate";
    PredictTune = "predict-tune";
    PredictNoGain = "predict-no-gain";
    PredictWorse = "predict-worse";
    PredictCannotTell = "predict-cannot-tell";
    PredictTuneShort = "predict-tune-short";
    PredictWorkersWait { wait: &'a str, wall: &'a str } = "predict-workers-wait";
    PredictCheaper { before: &'a str, after: &'a str } = "predict-cheaper";
    PredictBetter { setting: &'a str, rate: &'a str, other: &'a str, memory: &'a str } = "predict-better";
    PredictBeyond { setting: &'a str, rate: &'a str, other: &'a str } = "predict-beyond";
    PredictUnblock { resource: &'a str, share: &'a str } = "predict-unblock";
    PredictLoopFree { share: &'a str } = "predict-loop-free";
    PredictSameLimit { limit: &'a str } = "predict-same-limit";
    PredictSmall = "predict-small";
    PredictDearer { before: &'a str, after: &'a str } = "predict-dearer";
    PredictNewLimit { limit: &'a str } = "predict-new-limit";
    PredictFew { requests: &'a str, more: &'a str } = "predict-few";
    PredictFewOf { endpoint: &'a str, more: &'a str } = "predict-few-of";
    PredictFailing { share: &'a str } = "predict-failing";
    PredictFailingOf { endpoint: &'a str, share: &'a str } = "predict-failing-of";
    PredictWide { more: &'a str } = "predict-wide";
    PredictUnsure { stack: &'a str } = "predict-unsure";
    PredictGreenlets = "predict-greenlets";
    PredictThreadPool = "predict-thread-pool";
    PredictNoCpu = "predict-no-cpu";
    PredictLock { share: &'a str } = "predict-lock";
    PredictMixed = "predict-mixed";
    PredictFreeThreaded = "predict-free-threaded";
    PredictFailed { detail: &'a str } = "predict-failed";
    PredictLimitUsers = "predict-limit-users";
    PredictLimitWorkers = "predict-limit-workers";
    PredictLimitCores = "predict-limit-cores";
    PredictLimitBlocked = "predict-limit-blocked";
    PredictLimitPool { resource: &'a str } = "predict-limit-pool";
    PredictSettingThreads { workers: u64, threads: u64 } = "predict-setting-threads";
    PredictSettingLoops { loops: u64 } = "predict-setting-loops";
    PredictSettingFlags { setting: &'a str, flags: &'a str } = "predict-setting-flags";
    PredictSettingPool { setting: &'a str, pool: &'a str } = "predict-setting-pool";
    PredictNow = "predict-now";
    PredictAsync = "predict-async";
    PredictUnblocked = "predict-unblocked";
    PredictRowSetting { cores: &'a str } = "predict-row-setting";
    PredictRowRate = "predict-row-rate";
    PredictRowLimit = "predict-row-limit";
    PredictRowMedian { rate: &'a str } = "predict-row-median";
    PredictRowTail { rate: &'a str } = "predict-row-tail";
    PredictOverloaded = "predict-overloaded";
    PredictRowCpu = "predict-row-cpu";
    PredictRowMemory = "predict-row-memory";
    PredictRowCost = "predict-row-cost";
    PredictGain { gain: &'a str, range: &'a str } = "predict-gain";
    PredictRule { gain: &'a str } = "predict-rule";
    PredictGather { time: &'a str } = "predict-gather";
    PredictHeadGain = "predict-head-gain";
    PredictHeadRule = "predict-head-rule";
    PredictReason { endpoint: &'a str, reason: &'a str } = "predict-reason";
    PredictAssumed = "predict-assumed";
    PredictUnexplained { share: &'a str } = "predict-unexplained";
    PredictBorrowed { stack: &'a str, source: &'a str } = "predict-borrowed";
    PredictUnknownDriver { driver: &'a str } = "predict-unknown-driver";
    PredictOtherMachine { processor: &'a str, doubt: &'a str } = "predict-other-machine";
    PredictOtherSpeed { processor: &'a str, times: &'a str, doubt: &'a str } = "predict-other-speed";
    PredictOtherPython { processor: &'a str, python: &'a str, doubt: &'a str } = "predict-other-python";
    PredictUnknownSpeed = "predict-unknown-speed";
    PredictLowered { share: &'a str } = "predict-lowered";
    PredictPool { connections: &'a str } = "predict-pool";
    PredictElastic { resource: &'a str, recorded: &'a str, predicted: &'a str } = "predict-elastic";
    PredictCores { cores: &'a str } = "predict-cores";
    PredictNeverAlone = "predict-never-alone";
    PredictLineUnknown = "predict-line-unknown";
    PredictCrowded { processes: &'a str } = "predict-crowded";
    PredictFewSimulated { requests: &'a str } = "predict-few-simulated";
    PredictLoop { cpu: &'a str, blocked: &'a str } = "predict-loop";
    PredictLoopBusy { share: &'a str } = "predict-loop-busy";
    PredictBlocker { resource: &'a str, time: &'a str } = "predict-blocker";
    PredictNameless = "predict-nameless";
    PredictStackUnknown = "predict-stack-unknown";
    PredictService = "predict-service";
    PredictSides = "predict-sides";
    PredictEach = "predict-each";
    PlotCapacity = "plot-capacity";
    PlotCapacityAbout = "plot-capacity-about";
    PlotTail = "plot-tail";
    PlotTailAbout = "plot-tail-about";
    AxisRequests = "axis-requests";
    AxisTail = "axis-tail";
    LegendRate { rate: &'a str } = "legend-rate";

    // Progress of a run.
    ProgressSettingUp { scenario: &'a str } = "progress-setting-up";
    ProgressScenario { scenario: &'a str, number: u64, count: u64 } = "progress-scenario";
    ProgressStarting { contender: &'a str } = "progress-starting";
    ProgressWarming { contender: &'a str } = "progress-warming";
    ProgressTuning { contender: &'a str } = "progress-tuning";
    ProgressMeasuring { contender: &'a str, case: &'a str } = "progress-measuring";
    ProgressRound { number: u64, count: u64 } = "progress-round";
    ProgressChecking = "progress-checking";
    ProgressStopping { contender: &'a str } = "progress-stopping";
    ProgressTimeLeft { time: &'a str } = "progress-time-left";
    ProgressSkipped { scenario: &'a str, reason: &'a str } = "progress-skipped";
    ProgressFailed { scenario: &'a str, reason: &'a str } = "progress-failed";
    ProgressFinished { time: &'a str } = "progress-finished";
    ProgressInterrupted = "progress-interrupted";
    ProgressReportWritten { path: &'a str } = "progress-report-written";
    ProgressNotWhole { parts: &'a str } = "progress-not-whole";
    ProgressResultWritten { path: &'a str } = "progress-result-written";

    // Words of the command line.
    LabelScenarios { count: u64 } = "label-scenarios";
    LabelReady = "label-ready";
    LabelNeeds { parts: &'a str } = "label-needs";
    LabelTakes { time: &'a str } = "label-takes";
    LabelError = "label-error";
    LabelWarning = "label-warning";
    HintDetail { command: &'a str } = "hint-detail";
    HintOpen { path: &'a str } = "hint-open";
}

impl From<Verdict> for Message<'_> {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Confirmed => Self::VerdictConfirmed,
            Verdict::Refuted => Self::VerdictRefuted,
            Verdict::Inconclusive => Self::VerdictInconclusive,
            Verdict::Invalid => Self::VerdictInvalid,
            Verdict::NotMeasured => Self::VerdictNotMeasured,
        }
    }
}

impl From<Invalid> for Message<'_> {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::GeneratorSaturated => Self::InvalidGenerator,
            Invalid::OthersSaturated => Self::InvalidOthers,
            Invalid::MachineNoisy => Self::InvalidNoisy,
            Invalid::ProcessorStolen => Self::InvalidStolen,
            Invalid::OtherPrograms => Self::InvalidForeign,
        }
    }
}

impl From<Mode> for Message<'_> {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Smoke => Self::ModeSmoke,
            Mode::Quick => Self::ModeQuick,
            Mode::Full => Self::ModeFull,
        }
    }
}

impl From<Side> for Message<'_> {
    fn from(side: Side) -> Self {
        match side {
            Side::Sync => Self::SideSync,
            Side::Async => Self::SideAsync,
            Side::Reference => Self::SideReference,
        }
    }
}

impl From<Measure> for Message<'_> {
    fn from(measure: Measure) -> Self {
        match measure {
            Measure::Throughput => Self::MeasureThroughput,
            Measure::P50 => Self::MeasureP50,
            Measure::P99 => Self::MeasureP99,
            Measure::OpenP50 => Self::MeasureOpenP50,
            Measure::OpenP99 => Self::MeasureOpenP99,
            Measure::Errors => Self::MeasureErrors,
            Measure::Cpu => Self::MeasureCpu,
            Measure::Memory => Self::MeasureMemory,
            Measure::Cost => Self::MeasureCost,
            Measure::Idle => Self::MeasureIdle,
            Measure::Time => Self::MeasureTime,
            Measure::UnitMemory => Self::MeasureUnitMemory,
            Measure::Start => Self::MeasureStart,
            Measure::Switch => Self::MeasureSwitch,
        }
    }
}

impl From<Factor> for Message<'_> {
    fn from(factor: Factor) -> Self {
        match factor {
            Factor::Server => Self::FactorServer,
            Factor::Framework => Self::FactorFramework,
            Factor::Driver => Self::FactorDriver,
            Factor::Concurrency => Self::FactorConcurrency,
            Factor::Gather => Self::FactorGather,
            Factor::Loop => Self::FactorLoop,
            Factor::Tuning => Self::FactorTuning,
        }
    }
}
