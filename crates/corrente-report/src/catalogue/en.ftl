# English: the texts of reports, comparisons, progress and the command line.
# One message a line; the ids and arguments are listed in message.rs.

# The report as a whole.
report-title = Sync and async Python: published claims, measured here
report-lead = { $findings ->
    [one] One claim
   *[other] { $findings } claims
  } from { $scenarios ->
    [one] one scenario
   *[other] { $scenarios } scenarios
  }, each set against its own measurement on this machine.
report-footer = Made by Corrente { $version } from a { $schema } document. This page loads nothing from the network.
report-running = The run had not finished when this report was written.
report-empty = The run holds no scenario.
note-smoke = Smoke run: it shows that every part works. Its figures are no evidence.
note-quick = Quick run: fewer counts and repeats than the published ones. Intervals are wider.
note-invalid = Marked with “!”: not to be taken as a result.
note-absolute = Absolute figures hold for this machine only; the ratios carry the conclusions.

# Headings.
heading-summary = Verdicts
heading-conditions = Conditions
heading-reading = How to read this
heading-findings = Claims and verdicts
heading-remarks = Remarks
heading-differences = What differs from the original
heading-contenders = Contenders
heading-measurements = All measurements
heading-plots = More plots
heading-sweep = What tuning tried
heading-factors = What each change contributed
heading-source = Source

# Heads of columns and names of fields.
column-scenario = Scenario
column-claim = Claim
column-case = Case
column-published = Published
column-measured = Measured
column-naive = Naive rule
column-verdict = Verdict
column-contender = Contender
column-side = Side
column-server = Server
column-framework = Framework
column-driver = Driver
column-concurrency = Concurrency
column-settings = Settings
column-rate = Ops/s
column-maximum = Max
column-errors = Errors
column-cpu = CPU-s/1000
column-memory = Peak PSS
column-cost = { $currency }/million
column-note = Note
column-factor = Change
column-step = From → to
column-ratio = Ratio
column-share = Share
column-latency = Latency, ms

# Conditions of a run.
field-processor = Processor
field-cores = { $cores ->
    [one] 1 logical processor
   *[other] { $cores } logical processors
  }
field-virtual = virtual machine
field-memory = Memory
field-kernel = Kernel
field-python = Python
field-postgres = PostgreSQL
field-mode = Mode
field-seed = Seed
field-rounds = Rounds
field-started = Started
field-finished = Finished
field-prices = Prices
field-prices-text = { $vcpu } { $currency } per vCPU-hour, { $gib } { $currency } per GiB-hour; by request: { $requests } { $currency } per million requests, { $second } { $currency } per GiB-second
field-price-source = Prices read from
field-versions = Versions
field-placement = Processors
field-placement-text = application on { $application }; generator, origin and database on { $others }
field-speed = Speed
field-speed-text = { $low } to { $high } rounds of Python work a millisecond; within a measurement it moved by at most { $moved }
field-not-pinned = not pinned
field-elapsed = Duration

# Modes.
mode-smoke = smoke
mode-quick = quick
mode-full = full

# Verdicts and outcomes.
verdict-confirmed = confirmed
verdict-refuted = refuted
verdict-inconclusive = inconclusive
verdict-invalid = invalid
verdict-not-measured = not measured
outcome-not-measured = Not measured: { $reason }
outcome-failed = Failed while running: { $reason }
contender-missing = missing: { $reason }

# Why a measurement is no result.
invalid-generator = load generator saturated
invalid-others = origin or database saturated
invalid-noisy = rounds differ too much
invalid-stolen = hypervisor took processor time
invalid-foreign = other programs used the processor
invalid-of = { $count } of { $all } measurements invalid: { $reasons }

# Sides, measures, factors.
side-sync = sync
side-async = async
side-reference = reference
measure-throughput = throughput
measure-p50 = P50 latency
measure-p99 = P99 latency
measure-open-p50 = P50 at equal rate
measure-open-p99 = P99 at equal rate
measure-errors = share of errors
measure-cpu = CPU time per operation
measure-memory = peak memory
measure-cost = cost per operation
measure-idle = CPU idle time
measure-time = time taken
measure-unit-memory = memory per task
measure-start = start time per task
measure-switch = switch time
factor-server = server
factor-framework = framework
factor-driver = driver or client
factor-concurrency = event loop instead of processes or threads
factor-gather = calls made at once
factor-loop = event loop implementation
factor-tuning = worker and thread counts
factor-total = together

# Claims.
claim-tuned = sync side tuned
claim-higher = higher
claim-lower = lower
labelled = { $label }: { $value }
joined = { $first }, { $second }
at-rate = at { $rate }/s
cases-in-all = { $count ->
    [one] 1 case
   *[other] { $count } cases
  }
users-in-all = { $count ->
    [one] 1 user
   *[other] { $count } users
  }
model-says = model { $gain }
shipped-says = shipped { $gain }
sweep-best = best
sweep-failed = failed
sweep-of = { $contender }, tuned on { $case }

# How to read a report.
read-ratio = Every claim is a ratio of two contenders, “of / over”, measured in the same case on the same machine. The brackets hold its 95% interval. Above 1 means more: better for throughput, worse for latency, memory and cost.
read-verdict = A claim is confirmed where the whole interval lies between the published ratio divided by 1.25 and the same ratio multiplied by 1.25, and refuted where the whole interval lies outside. Where only a bound (≥ or ≤) was published, it is given the same room. A claim over several cases is confirmed or refuted only where every case agrees.
read-direction = Where only a direction was published, the whole interval must lie at least 5% on the claimed side.
read-inconclusive = Anything else is inconclusive: the measurement does not decide.
read-invalid = A measurement is invalid where the load generator, the origin or the database had no headroom although the contender itself did (one that fills processors of its own is the limit, however busy the others are), where the rounds of one contender differ by more than the noise test allows, or where the hypervisor or other programs of the machine took processor time away. It then supports no verdict. That the processor’s own speed moves is no reason by itself: contenders take turns, so that it widens the intervals. Where it moves so far that the rounds of one contender differ by more than the noise test allows, they are invalid for that.
read-naive = The naive rule says gain = 1 + T_io / T_cpu: the waiting time of a request over its processor time, taken from the sync side at one user before the run. It stands beside the gain that was then measured.
read-model = Where a line begins with “model”, Corrente’s model predicted the gain before the judged measurements: from one user alone on the sync side, and from what the stacks cost on other requests that no claim is about. The brackets hold its 95% interval.
read-shipped = Where a line begins with “shipped”, the model predicted the same without anything of the async side: from the sync side alone and from the costs of stacks that come with Corrente, taken to this machine by the square root of the ratio of both speeds.
read-tuned = Published comparisons often set a tuned async side against an untuned sync side. Where it says “sync side tuned”, workers and threads were searched for the best throughput first.
read-latency = Latency in the closed loop includes the queue that the users themselves form. At equal rate, every contender gets the same open-loop load, and time counts from the intended send time. A percentile is shown only where at least ten samples lie beyond it.
read-factors = A migration changes several things at once. Where it was taken apart, each step changes one thing; the shares are parts of the logarithm of the whole gain and add up to 100%.
read-cost = Cost is that of a million operations at the prices above, on capacity bought by the hour and fully used.
read-absolute = Operations per second, milliseconds and bytes are those of this machine, with generator, origin and database on the same machine. Do not compare them with figures from elsewhere; compare ratios.

# Plots: titles, descriptions, axes, legends.
plot-latency = Latency by percentile: { $case }
plot-latency-open = Latency by percentile at { $rate }/s for all: { $case }
plot-latency-about = Each step to the right on the percentile axis leaves a tenth of the requests beyond it; milliseconds rise by powers of ten. Lower is better.
plot-users = Throughput by number of users { $parameters }
plot-users-about = Operations per second over concurrent users, one line for each contender; the bars span the rounds.
plot-prediction = What the naive rule predicted, and what was measured
plot-prediction-about = Each point is one claim in one case. On the dashed line the prediction was right; below it, the rule promised too much.
plot-model = What the model predicted before the run, and what was measured
plot-model-about = Each point is one claim in one case. On the dashed line the prediction was right; below it, the model promised too much.
plot-forest = Published ratio and measured interval
plot-forest-about = For each claim, the shaded band is what counts as confirmed, and the marks with lines are the measured ratios with their 95% intervals. The shape of the mark is the verdict.
plot-factors = What each change contributed: { $case }
plot-factors-about = Each bar runs from the gain before a change to the gain after it, on a logarithmic scale.
plot-region = Where it holds: { $claim }
plot-region-about = Measured ratio at each pair of parameters; the mark is the verdict there.
axis-percentile = percentile of requests
axis-latency = latency, ms
axis-users = concurrent users
axis-throughput = operations per second, this machine
axis-predicted = gain by the naive rule
axis-model = gain by the model
axis-measured = measured gain
axis-ratio = ratio, of / over
legend-published = published, ÷1.25 to ×1.25
legend-equal = prediction equals measurement
legend-more = more than 1
legend-less = less than 1

# Two runs side by side.
compare-title = Two lab runs compared
compare-runs = A: { $first }    B: { $second }
compare-machines = The machines differ: compare ratios and verdicts only, not absolute figures.
compare-modes = The modes differ: the run with fewer counts has wider intervals.
compare-field = { $field }: { $first } (A), { $second } (B)
compare-versions = The interpreters or programs differ.
compare-findings = Verdicts
compare-throughputs = Throughput of each contender, B / A
compare-verdicts = { $count ->
    [one] Of one claim in both runs,
   *[other] Of { $count } claims in both runs,
  } { $changed ->
    [0] no verdict changed.
    [one] one changed its verdict.
   *[other] { $changed } changed their verdicts.
  }
compare-only-first = only in A: { $name }
compare-only-second = only in B: { $name }
compare-nothing = The two runs have no scenario in common.
compare-ratio-head = B / A

# What endpoints cost and wait for.
gauge-title = What the endpoints cost and wait for
gauge-processes = { $count ->
    [one] one process
   *[other] { $count } processes
  }
gauge-memory = { $memory } each
requests-in-all = { $count ->
    [one] one request
   *[other] { $requests } requests
  }
gauge-traffic = { $requests } in { $time } ({ $rate }/s)
gauge-traffic-part = { $requests } counted in { $time }, and others that could not be counted
gauge-in-flight = { $mean } at a time in a process
gauge-server-cpu = the server itself takes { $time } ms of CPU a request
gauge-loop = the event loops are busy { $share } of the time
gauge-empty = No request was counted.
gauge-read = Times are means a request, in milliseconds.
gauge-read-blocking = Wait/CPU is the blocking coefficient: waiting over computing.
gauge-read-calls = “ms/call” is what a call takes beside its computing.
gauge-read-together = “Together” is what making the calls of one line together would save, up to; nothing here proves that they are independent.
gauge-at-most = “≤”: none of these requests was asked how long it stood in line for a processor, so this is the most that waiting can be.
gauge-narrow = Left out for want of room: { $columns }. A wider terminal, `--json` and `--html` have it all.
gauge-doubts = What could not be told
gauge-written = Recording written to { $path }
gauge-watching = { $path }, the last { $time }
gauge-waiting = No request yet.
gauge-ended = The recording has ended.
gauge-sampling = Sampling process { $pid } for { $time }
calibrate-written = Costs written to { $path }: { $names }
column-endpoint = Endpoint
column-requests = Requests
column-cpu-ms = CPU ms
column-wait-ms = Wait ms
column-p99-ms = P99 ms
column-blocking = Wait/CPU
column-waits = Waits
column-stalls = Stalls ms
column-place = Where the loop stalled
column-waited-in = Waited in
column-count = Stalls
column-longest-ms = Longest ms
column-cpu-share = CPU
column-resource = Resource
column-calls = Calls
column-call-wait = ms/call
column-gather = Together saves ms
column-blocking-calls = Blocking
plot-times = Where the time of a request goes
plot-times-about = Each bar is a mean request. Computing needs a core; waiting needs none, but a synchronous worker stays taken meanwhile. Time in line for a processor is left out. The endpoints that keep the service busiest come first.
axis-times = milliseconds a request
legend-computing = computing
legend-stalls = holding up its loop
legend-waiting = waiting

# Progress of a run.
progress-setting-up = Setting up { $scenario }
progress-scenario = Scenario { $number } of { $count }: { $scenario }
progress-starting = Starting { $contender }
progress-warming = Warming up { $contender }
progress-tuning = Tuning { $contender }
progress-measuring = Measuring { $contender } in { $case }
progress-round = round { $number } of { $count }
progress-checking = Checking how steady the machine is
progress-stopping = Stopping { $contender }
progress-time-left = about { $time } left
progress-skipped = { $scenario } not measured: { $reason }
progress-failed = { $scenario } failed: { $reason }
progress-finished = Finished in { $time }
progress-interrupted = Interrupted; what was measured so far is kept
progress-report-written = Report written to { $path }
progress-not-whole = Exit code 1, since something could not run: { $parts }
progress-result-written = Result written to { $path }

# Words of the command line.
label-scenarios = { $count ->
    [one] One scenario
   *[other] { $count } scenarios
  }
label-ready = ready
label-needs = needs { $parts }
label-takes = takes about { $time }
label-error = error
label-warning = warning
hint-detail = For the figures behind a verdict: { $command }
hint-open = Open { $path } in a browser.

# What async would bring.
predict-title = What async would bring
predict-loop-title = Where the loop’s time goes
predict-verdict = Verdict: { $verdict }
predict-migrate = migrate
predict-tune = tune what you have
predict-no-gain = no gain
predict-worse = worse
predict-cannot-tell = cannot tell
predict-tune-short = tune
predict-workers-wait = Workers are taken while their requests wait, { $wait } of { $wall } ms each, and no better setting within the machine’s memory frees as many.
predict-cheaper = The cores are the limit, and the other stack needs { $after } ms of CPU a request instead of { $before } ms.
predict-better = { $setting } bring { $rate } requests/s with { $memory } of memory; async would bring { $other }, which is not surely enough more.
predict-beyond = The best setting, { $setting }, brings { $rate } requests/s; async would bring { $other }.
predict-unblock = Blocking calls hold the loop for { $share } of its busy time, most of it { $resource }: await them, or move them to a thread.
predict-loop-free = The service is asynchronous already, and only { $share } of its loop’s busy time is blocked.
predict-same-limit = Both sides have the same limit: { $limit }.
predict-small = What it would bring is less than a change is worth.
predict-dearer = The other stack needs more CPU a request: { $after } ms instead of { $before } ms.
predict-new-limit = Async would meet a limit that is lower than today’s: { $limit }.
predict-few = Too little is recorded ({ $requests }): record at least { $more } more.
predict-few-of = Too few requests of { $endpoint } are recorded: at least { $more } more are needed.
predict-failing = { $share } of its requests failed (a status of 400 or above, or an exception): what they cost when they succeed is not recorded.
predict-failing-of = { $share } of the requests of { $endpoint } failed (a status of 400 or above, or an exception): what they cost when they succeed is not recorded.
predict-wide = The interval is too wide; about { $more } more requests would make it narrow enough.
predict-unsure = More requests would not help: the interval comes from the costs of { $stack } and from the model’s own error.
predict-greenlets = Greenlets (gevent, eventlet) run many requests in one thread: what each costs cannot be measured. Record the service under threads (`gunicorn -k gthread`).
predict-thread-pool = Requests are worked on in a thread pool below the application, which is not part of the model.
predict-no-cpu = The recording was made from outside or of traces and has no CPU times of single requests; use `corrente gauge run`.
predict-lock = No watched library explains { $share } of the waiting: if it can be awaited the gain holds, if it is a lock or another line that all requests stand in, it does not.
predict-mixed = The recording holds requests of WSGI and of ASGI: these are two services; predict each from a recording of its own.
predict-free-threaded = The interpreter is a free-threaded one, which the model does not describe.
predict-failed = The model has no answer: { $detail }.
predict-limit-users = users in flight
predict-limit-workers = workers, threads
predict-limit-cores = cores
predict-limit-blocked = blocked loops
predict-limit-pool = connections to { $resource }
predict-setting-threads = { $workers ->
    [one] one worker
   *[other] { $workers } workers
  } × { $threads ->
    [one] one thread
   *[other] { $threads } threads
  }
predict-setting-loops = { $loops ->
    [one] one loop
   *[other] { $loops } loops
  }
predict-setting-flags = { $setting } (`{ $flags }`)
predict-setting-pool = { $setting }, pool { $pool }
predict-now = Now
predict-async = Async
predict-unblocked = Nothing blocks
predict-row-setting = Setting, { $cores } cores
predict-row-rate = Requests/s at most
predict-row-limit = Limited by
predict-row-median = P50 ms at { $rate }/s
predict-row-tail = P99 ms at { $rate }/s
predict-overloaded = cannot keep up
predict-row-cpu = CPU ms a request
predict-row-memory = Memory
predict-row-cost = Cost of a million
predict-gain = Gain in throughput: { $gain } { $range }
predict-rule = the rule 1 + waiting/computing says { $gain }
predict-gather = If the calls of one line do not depend on one another and are made together, P50 falls to { $time } ms.
predict-head-gain = Gain
predict-head-rule = Rule
predict-reason = { $endpoint }: { $reason }
predict-assumed = Taken for granted
predict-unexplained = No watched library explains { $share } of the waiting: the prediction holds where it can be awaited.
predict-borrowed = { $stack } was not measured: its costs are those of { $source }, less sure.
predict-unknown-driver = { $driver } or its other side was not measured: a call is taken to cost the same on both sides.
predict-other-machine = The stacks’ costs are those of another machine ({ $processor }), scaled to this one by its speed at Python work; they may be off by a factor of { $doubt }, those that were borrowed by more. How to measure them here: `corrente gauge calibrate --help`.
predict-other-speed = The stacks’ costs were measured on this processor ({ $processor }) when it was { $times } times as fast at Python work, and are scaled in part; they may be off by a factor of { $doubt }, those that were borrowed by more. How to measure them here: `corrente gauge calibrate --help`.
predict-other-python = The stacks’ costs were measured on this processor ({ $processor }) with Python { $python }, and are scaled by the speed of both at Python work; they may be off by a factor of { $doubt }, those that were borrowed by more. How to measure them here: `corrente gauge calibrate --help`.
predict-unknown-speed = The stacks’ costs are as they were measured, not scaled to this machine: how fast it is at Python work is not known, or how fast theirs was. How to measure them here: `corrente gauge calibrate --help`.
predict-lowered = Requests took less CPU than their stack should: the costs of both sides are lowered to { $share } of what was measured.
predict-pool = Each loop has { $connections } connections to a database (`--pool`).
predict-elastic = { $resource } is taken to answer { $predicted } calls at a time as fast as the { $recorded } that were recorded. If it computes on these cores, or is near its own limit, it will not.
predict-cores = The recording does not say how many cores there are: { $cores } (`--cores`).
predict-never-alone = Requests were hardly ever alone in their process, so their waiting holds that for the interpreter lock: the gain is overestimated.
predict-line-unknown = The recording does not say how long requests stood in line for a processor: all time without one counts as waiting.
predict-crowded = { $processes } processes on a core are more than any calibration had: with waits as brief as these, sixteen were measured to need up to twice the CPU of one.
predict-few-simulated = The figures rest on { $requests } simulated requests: more would take longer than a second, as each computes for so long or makes so many calls. They are less precise for it, P99 most of all.
predict-loop = A request computes for { $cpu } ms and blocks its loop for another { $blocked } ms.
predict-loop-busy = The loop is busy for { $share } of the time.
predict-blocker = { $resource }: { $time } ms
predict-nameless = not in a watched library
predict-stack-unknown = (server and framework not known)
predict-service = The service
predict-sides = Both sides
predict-each = Each endpoint by itself
plot-capacity = Predicted throughput by concurrent users
plot-capacity-about = So many users, each of whom sends the next request when the answer is there. The shaded bands are 95% intervals.
plot-tail = Predicted P99 by rate
plot-tail-about = Requests come at random, so many a second; 99 in 100 are faster than the line. A line ends where its side cannot keep up. The shaded bands are 95% intervals; both axes are logarithmic.
axis-requests = requests a second
axis-tail = P99, ms
legend-rate = the rate of the table, { $rate }/s
