# 简体中文：报告、比较、进度和命令行的文字。
# 每行一条消息；标识符和参数列在 message.rs 中。

# 报告整体。
report-title = 同步与异步 Python：已发布的论断，在本机实测
report-lead = 共 { $findings } 条论断，来自 { $scenarios } 个场景，每条都与本机上的实测结果对照。
report-footer = 由 Corrente { $version } 根据 { $schema } 文档生成。本页面不从网络加载任何内容。
report-running = 写出本报告时，运行尚未结束。
report-empty = 本次运行不含任何场景。
note-smoke = 冒烟运行：仅表明各部分能够工作，其数字不能作为证据。
note-quick = 快速运行：次数和轮数少于原始发布，区间更宽。
note-invalid = 标有“!”者：不应视为结果。
note-absolute = 绝对数值仅适用于本机；结论以比值为准。

# 标题。
heading-summary = 判定
heading-conditions = 测量条件
heading-reading = 如何阅读本报告
heading-findings = 论断与判定
heading-remarks = 备注
heading-differences = 与原测试的差异
heading-contenders = 参测对象
heading-measurements = 全部测量数据
heading-plots = 更多图表
heading-sweep = 调优所尝试的设置
heading-factors = 各项改动的贡献
heading-source = 来源

# 列标题和字段名。
column-scenario = 场景
column-claim = 论断
column-case = 测点
column-published = 发布值
column-measured = 实测值
column-naive = 简单公式
column-verdict = 判定
column-contender = 参测对象
column-side = 类别
column-server = 服务器
column-framework = 框架
column-driver = 驱动
column-concurrency = 并发模型
column-settings = 设置
column-rate = 次/秒
column-maximum = 最大
column-errors = 错误
column-cpu = CPU 秒/千次
column-memory = 峰值 PSS
column-cost = { $currency }/百万次
column-note = 说明
column-factor = 改动
column-step = 从 → 到
column-ratio = 比值
column-share = 占比
column-latency = 延迟（毫秒）

# 运行条件。
field-processor = 处理器
field-cores = { $cores } 个逻辑处理器
field-virtual = 虚拟机
field-memory = 内存
field-kernel = 内核
field-python = Python
field-postgres = PostgreSQL
field-mode = 模式
field-seed = 随机种子
field-rounds = 轮数
field-started = 开始时间
field-finished = 结束时间
field-prices = 价格
field-prices-text = 每 vCPU 小时 { $vcpu } { $currency }，每 GiB 小时 { $gib } { $currency }；按请求计费：每百万次请求 { $requests } { $currency }，每 GiB 秒 { $second } { $currency }
field-price-source = 价格来源
field-versions = 版本
field-placement = 处理器分配
field-placement-text = 应用程序使用 { $application }；负载生成器、上游服务和数据库使用 { $others }
field-speed = 速度
field-speed-text = 每毫秒 { $low } 至 { $high } 轮 Python 计算；单次测量期间最多变化 { $moved }
field-not-pinned = 未绑定
field-elapsed = 耗时

# 模式。
mode-smoke = 冒烟
mode-quick = 快速
mode-full = 完整

# 判定与结果。
verdict-confirmed = 证实
verdict-refuted = 推翻
verdict-inconclusive = 无定论
verdict-invalid = 无效
verdict-not-measured = 未测量
outcome-not-measured = 未测量：{ $reason }
outcome-failed = 运行中失败：{ $reason }
contender-missing = 缺失：{ $reason }

# 为何某次测量不能作为结果。
invalid-generator = 负载生成器饱和
invalid-others = 上游服务或数据库饱和
invalid-noisy = 各轮差异过大
invalid-stolen = 虚拟机管理程序占用了处理器时间
invalid-foreign = 其他程序占用了处理器
invalid-of = { $all } 次测量中有 { $count } 次无效：{ $reasons }

# 类别、指标、因素。
side-sync = 同步
side-async = 异步
side-reference = 参照
measure-throughput = 吞吐量
measure-p50 = P50 延迟
measure-p99 = P99 延迟
measure-open-p50 = 相同速率下的 P50
measure-open-p99 = 相同速率下的 P99
measure-errors = 错误比例
measure-cpu = 每次操作的 CPU 时间
measure-memory = 峰值内存
measure-cost = 每次操作的成本
measure-idle = CPU 空闲时间
measure-time = 所用时间
measure-unit-memory = 每个任务的内存
measure-start = 每个任务的启动时间
measure-switch = 切换时间
factor-server = 服务器
factor-framework = 框架
factor-driver = 驱动或客户端
factor-concurrency = 以事件循环取代进程或线程
factor-gather = 同时发起调用
factor-loop = 事件循环的实现
factor-tuning = 工作进程数和线程数
factor-total = 合计

# 论断。
claim-tuned = 同步方已调优
claim-higher = 更高
claim-lower = 更低
labelled = { $label }：{ $value }
joined = { $first }，{ $second }
at-rate = 速率 { $rate }/秒
cases-in-all = { $count } 个测点
users-in-all = { $count } 个用户
model-says = 模型 { $gain }
shipped-says = 内置 { $gain }
sweep-best = 最佳
sweep-failed = 失败
sweep-of = { $contender }，在 { $case } 上调优

# 如何阅读报告。
read-ratio = 每条论断都是两个参测对象的比值（前者 / 后者），在同一台机器的同一测点上测得。方括号内是其 95% 区间。大于 1 表示更多：对吞吐量是好事，对延迟、内存和成本则是坏事。
read-verdict = 若整个区间落在发布比值除以 1.25 与乘以 1.25 之间，论断即被证实；若整个区间落在其外，论断即被推翻。若只发布了界限（≥ 或 ≤），则对该界限给予同样的余量。涉及多个测点的论断，只有在所有测点一致时才算证实或推翻。
read-direction = 若只发布了方向，则整个区间必须在所称一侧至少相差 5%。
read-inconclusive = 其余情况均为无定论：测量无法判断。
read-invalid = 若负载生成器、上游服务或数据库没有余量而被测对象自身尚有余量（占满自己处理器的对象就是瓶颈，无论其他部分多忙），若同一对象各轮之间的差异超过噪声检验所允许的范围，或虚拟机管理程序或本机其他程序占用了处理器时间，则测量无效，不支持任何判定。处理器自身速度的变化本身并不是无效的理由：各被测对象轮流测量，其影响体现为更宽的区间。若变化大到使同一对象各轮之间的差异超过噪声检验所允许的范围，则这些测量因此无效。
read-naive = 简单公式为：收益 = 1 + T_io / T_cpu，即请求的等待时间除以其处理器时间，在运行前由同步方以单个用户测得。它与随后实测的收益并列给出。
read-model = 以“模型”开头的行，是 Corrente 的模型在评判测量之前预测的收益：依据同步方单个用户的情形，以及各技术栈处理其他请求（不涉及任何论断）的开销。括号内为其 95% 区间。
read-shipped = 以“内置”开头的行，是模型在不使用异步方任何数据的情况下作出的同一预测：仅依据同步方，以及 Corrente 自带的技术栈开销（按两机速度之比的平方根换算到本机）。
read-tuned = 已发布的比较常常以调优过的异步方对比未调优的同步方。凡注明“同步方已调优”之处，均已先搜索吞吐量最佳的工作进程数和线程数。
read-latency = 闭环下的延迟包含用户自身形成的排队。在相同速率下，每个对象承受同样的开环负载，时间从预定发送时刻算起。只有当至少十个样本超过某百分位时，才给出该百分位。
read-factors = 一次迁移会同时改变多件事。凡已分解之处，每一步只改变一件；各占比是总收益对数的组成部分，合计为 100%。
read-cost = 成本指按上述价格、以按小时购买且充分利用的容量完成一百万次操作的费用。
read-absolute = 每秒操作数、毫秒数和字节数都是本机的数值，负载生成器、上游服务和数据库也在同一台机器上。请勿与他处的数字比较；应比较比值。

# 图表：标题、说明、坐标轴、图例。
plot-latency = 各百分位延迟：{ $case }
plot-latency-open = 各百分位延迟，统一速率 { $rate }/秒：{ $case }
plot-latency-about = 百分位轴上每向右一格，其外只剩十分之一的请求；毫秒按十的幂递增。越低越好。
plot-users = 吞吐量与用户数 { $parameters }
plot-users-about = 每秒操作数随并发用户数的变化，每个对象一条线；竖线为各轮的范围。
plot-prediction = 简单公式的预测与实测结果
plot-prediction-about = 每个点是一条论断在一个测点上的结果。落在虚线上说明预测正确；在其下方说明公式高估了收益。
plot-model = 模型在运行前的预测与实测结果
plot-model-about = 每个点是一个情形下的一项论断。虚线上预测正确；虚线以下表示模型高估了收益。
plot-forest = 发布比值与实测区间
plot-forest-about = 每条论断的阴影带表示可判为证实的范围；带线的标记是实测比值及其 95% 区间。标记的形状表示判定。
plot-factors = 各项改动的贡献：{ $case }
plot-factors-about = 每个条形从改动前的收益延伸到改动后的收益，采用对数刻度。
plot-region = 在何处成立：{ $claim }
plot-region-about = 每对参数下的实测比值；标记为该处的判定。
axis-percentile = 请求的百分位
axis-latency = 延迟（毫秒）
axis-users = 并发用户数
axis-throughput = 每秒操作数（本机）
axis-predicted = 简单公式预测的收益
axis-model = 模型预测的收益
axis-measured = 实测收益
axis-ratio = 比值（前者 / 后者）
legend-published = 发布值，÷1.25 至 ×1.25
legend-equal = 预测等于实测
legend-more = 大于 1
legend-less = 小于 1

# 两次运行对照。
compare-title = 两次运行的比较
compare-runs = A：{ $first }    B：{ $second }
compare-machines = 机器不同：只应比较比值和判定，不应比较绝对数值。
compare-modes = 模式不同：次数较少的运行区间更宽。
compare-field = { $field }：{ $first }（A），{ $second }（B）
compare-versions = 解释器或程序版本不同。
compare-findings = 判定
compare-throughputs = 各参测对象的吞吐量，B / A
compare-verdicts = 两次运行共有的 { $count } 条论断中，{ $changed ->
    [0] 判定均未改变。
   *[other] { $changed } 条的判定发生了改变。
  }
compare-only-first = 仅在 A 中：{ $name }
compare-only-second = 仅在 B 中：{ $name }
compare-nothing = 两次运行没有共同的场景。
compare-ratio-head = B / A

# 端点的开销与等待。
gauge-title = 各端点的开销与等待
gauge-processes = { $count } 个进程
gauge-memory = 每个 { $memory }
requests-in-all = { $count ->
   *[other] { $requests } 个请求
  }
gauge-traffic = { $time } 内 { $requests }（{ $rate }/s）
gauge-traffic-part = { $time } 内计数到 { $requests }，另有无法计数的请求
gauge-in-flight = 每个进程平均同时 { $mean } 个
gauge-server-cpu = 服务器自身每个请求占用 CPU { $time } ms
gauge-loop = 事件循环有 { $share } 的时间处于忙碌状态
gauge-empty = 没有统计到任何请求。
gauge-read = 时间为每个请求的平均值，单位毫秒。
gauge-read-blocking = 等待/CPU 即阻塞系数：等待时间除以计算时间。
gauge-read-calls = “ms/次”为一次调用除计算之外所用的时间。
gauge-read-together = “并行”指把同一行代码发出的调用改为同时进行最多可节省的时间；这里并不能证明它们互不依赖。
gauge-at-most = “≤”：这些请求中没有一个被测量排队等待处理器的时间，因此这是等待时间的上限。
gauge-narrow = 因宽度不足而省略：{ $columns }。更宽的终端、`--json` 和 `--html` 中有全部内容。
gauge-doubts = 无法判断的内容
gauge-written = 记录已写入 { $path }
gauge-watching = { $path }，最近 { $time }
gauge-waiting = 尚无请求。
gauge-ended = 记录已结束。
gauge-sampling = 正在对进程 { $pid } 采样 { $time }
calibrate-written = 开销已写入 { $path }：{ $names }
column-endpoint = 端点
column-requests = 请求
column-cpu-ms = CPU ms
column-wait-ms = 等待 ms
column-p99-ms = P99 ms
column-blocking = 等待/CPU
column-waits = 等待次数
column-stalls = 停顿 ms
column-place = 事件循环停顿之处
column-waited-in = 等待于
column-count = 次数
column-longest-ms = 最长 ms
column-cpu-share = CPU
column-resource = 资源
column-calls = 调用
column-call-wait = ms/次
column-gather = 并行可省 ms
column-blocking-calls = 阻塞
plot-times = 请求的时间花在哪里
plot-times-about = 每个条形为一个平均请求。计算占用一个核心；等待不占用核心，但同步工作进程在此期间仍被占用。图中不含排队等待处理器的时间。最忙的端点排在前面。
axis-times = 每个请求的毫秒数
legend-computing = 计算
legend-stalls = 阻塞事件循环
legend-waiting = 等待

# 运行进度。
progress-setting-up = 正在准备 { $scenario }
progress-scenario = 场景 { $number }/{ $count }：{ $scenario }
progress-starting = 正在启动 { $contender }
progress-warming = 正在预热 { $contender }
progress-tuning = 正在调优 { $contender }
progress-measuring = 正在测量 { $contender }，测点 { $case }
progress-round = 第 { $number } 轮，共 { $count } 轮
progress-checking = 正在检查机器是否平稳
progress-stopping = 正在停止 { $contender }
progress-time-left = 约剩 { $time }
progress-skipped = { $scenario } 未测量：{ $reason }
progress-failed = { $scenario } 失败：{ $reason }
progress-finished = 用时 { $time } 完成
progress-interrupted = 已中断；已测得的数据予以保留
progress-report-written = 报告已写入 { $path }
progress-not-whole = 退出码 1，因为有部分无法运行：{ $parts }
progress-result-written = 结果已写入 { $path }

# 命令行用语。
label-scenarios = { $count } 个场景
label-ready = 就绪
label-needs = 需要 { $parts }
label-takes = 约需 { $time }
label-error = 错误
label-warning = 警告
hint-detail = 查看判定背后的数字：{ $command }
hint-open = 请在浏览器中打开 { $path }。

# 改为异步会带来什么。
predict-title = 改为异步会带来什么
predict-loop-title = 事件循环的时间花在哪里
predict-verdict = 结论：{ $verdict }
predict-migrate = 迁移
predict-tune = 调整现有配置
predict-no-gain = 没有收益
predict-worse = 更差
predict-cannot-tell = 无法判断
predict-tune-short = 调整
predict-workers-wait = 工作进程在请求等待期间被占用（每个请求 { $wall } ms 中有 { $wait } ms 在等待），在机器内存范围内没有更好的设置能腾出同样多的工作进程。
predict-cheaper = 瓶颈是处理器核心，而另一套技术栈每个请求只需 { $after } ms CPU，现在需要 { $before } ms。
predict-better = { $setting }可达 { $rate } 请求/秒，内存 { $memory }；异步可达 { $other }，不能肯定足够更多。
predict-beyond = 最好的设置（{ $setting }）可达 { $rate } 请求/秒；异步可达 { $other }。
predict-unblock = 阻塞调用占用事件循环忙碌时间的 { $share }，主要是 { $resource }：应改为 await，或移到线程中。
predict-loop-free = 该服务已是异步的，其事件循环忙碌时间中只有 { $share } 被阻塞。
predict-same-limit = 两侧的瓶颈相同：{ $limit }。
predict-small = 所能带来的收益不值得改动。
predict-dearer = 另一套技术栈每个请求需要更多 CPU：{ $after } ms，现在为 { $before } ms。
predict-new-limit = 异步会遇到比现在更低的瓶颈：{ $limit }。
predict-few = 记录太少（{ $requests }）：至少再记录 { $more } 个。
predict-few-of = { $endpoint } 的请求记录太少：至少还需要 { $more } 个。
predict-failing = 其 { $share } 的请求失败（状态码 400 及以上，或异常）：没有记录它们成功时的开销。
predict-failing-of = { $endpoint } 有 { $share } 的请求失败（状态码 400 及以上，或异常）：没有记录它们成功时的开销。
predict-wide = 区间太宽；再记录约 { $more } 个请求即可足够窄。
predict-unsure = 再多请求也无济于事：区间来自 { $stack } 的开销和模型自身的误差。
predict-greenlets = 协程库（gevent、eventlet）在一个线程中运行许多请求：无法测量每个请求的开销。请用线程运行并记录该服务（`gunicorn -k gthread`）。
predict-thread-pool = 请求在应用之下的线程池中处理，模型不包含这种情况。
predict-no-cpu = 该记录来自外部采样或追踪数据，没有单个请求的 CPU 时间；请使用 `corrente gauge run`。
predict-lock = { $share } 的等待没有任何被监视的库可以解释：如果能用 await 等待，收益成立；如果是锁或所有请求都要排的队，则不成立。
predict-mixed = 记录中同时有 WSGI 和 ASGI 的请求：这是两个服务；请分别记录并预测。
predict-free-threaded = 解释器为无 GIL 版本，模型未涵盖。
predict-failed = 模型无法给出答案：{ $detail }。
predict-limit-users = 并发用户数
predict-limit-workers = 工作进程与线程
predict-limit-cores = 处理器核心
predict-limit-blocked = 被阻塞的循环
predict-limit-pool = 到 { $resource } 的连接
predict-setting-threads = { $workers } 个工作进程 × { $threads } 个线程
predict-setting-loops = { $loops } 个事件循环
predict-setting-flags = { $setting }（`{ $flags }`）
predict-setting-pool = { $setting }，连接池 { $pool }
predict-now = 现在
predict-async = 异步
predict-unblocked = 无阻塞
predict-row-setting = 设置，{ $cores } 个核心
predict-row-rate = 最大请求/秒
predict-row-limit = 瓶颈
predict-row-median = P50 ms，{ $rate }/秒
predict-row-tail = P99 ms，{ $rate }/秒
predict-overloaded = 跟不上
predict-row-cpu = 每请求 CPU ms
predict-row-memory = 内存
predict-row-cost = 每百万请求成本
predict-gain = 吞吐量收益：{ $gain } { $range }
predict-rule = 规则 1 + 等待/计算 给出 { $gain }
predict-gather = 若同一行的调用互不依赖且同时进行，P50 降至 { $time } ms。
predict-head-gain = 收益
predict-head-rule = 规则
predict-reason = { $endpoint }：{ $reason }
predict-assumed = 前提
predict-unexplained = { $share } 的等待没有任何被监视的库可以解释：只有能用 await 等待时预测才成立。
predict-borrowed = 未测量 { $stack }：开销取自 { $source }，较不可靠。
predict-unknown-driver = 未测量 { $driver } 或其对应驱动：假定两侧每次调用开销相同。
predict-other-machine = 技术栈的开销来自另一台机器（{ $processor }），按本机执行 Python 的速度换算；这些开销可能差 { $doubt } 倍，借用的开销可能差得更多。在本机测量的方法：`corrente gauge calibrate --help`。
predict-other-speed = 技术栈的开销是在同一处理器（{ $processor }）上测得的，当时执行 Python 的速度是现在的 { $times } 倍，已部分换算；这些开销可能差 { $doubt } 倍，借用的开销可能差得更多。在本机测量的方法：`corrente gauge calibrate --help`。
predict-other-python = 技术栈的开销是在同一处理器（{ $processor }）上用 Python { $python } 测得的，按两者执行 Python 的速度换算；这些开销可能差 { $doubt } 倍，借用的开销可能差得更多。在本机测量的方法：`corrente gauge calibrate --help`。
predict-unknown-speed = 技术栈的开销是测得的原值，没有换算到本机：不知道本机或测量所用机器执行 Python 的速度。在本机测量的方法：`corrente gauge calibrate --help`。
predict-lowered = 请求所用的 CPU 少于其技术栈应有的：两边的开销都降到测得值的 { $share }。
predict-pool = 每个事件循环有 { $connections } 个数据库连接（`--pool`）。
predict-elastic = 假定 { $resource } 同时回答 { $predicted } 个调用时与记录中的 { $recorded } 个一样快。若它在同样的核心上计算，或已接近自身极限，则不会如此。
predict-cores = 记录没有说明有多少核心：{ $cores }（`--cores`）。
predict-never-alone = 请求几乎从未独占进程，其等待包含对解释器锁的等待：收益被高估。
predict-line-unknown = 记录没有说明请求排队等待处理器的时间：未占用处理器的时间全部计为等待。
predict-crowded = 每个核心 { $processes } 个进程，多于任何一次校准：在如此短暂的等待下，实测十六个进程所需的 CPU 可达单个进程的两倍。
predict-few-simulated = 这些数字基于 { $requests } 个模拟请求：由于每个请求计算时间很长或调用很多，模拟更多会超过一秒。因此精度较低，P99 尤其如此。
predict-loop = 一个请求计算 { $cpu } ms，另外阻塞事件循环 { $blocked } ms。
predict-loop-busy = 事件循环有 { $share } 的时间处于忙碌。
predict-blocker = { $resource }：{ $time } ms
predict-nameless = 不在被监视的库中
predict-stack-unknown = （服务器和框架未知）
predict-service = 服务
predict-sides = 两侧对比
predict-each = 各端点单独预测
plot-capacity = 预测吞吐量与并发用户数
plot-capacity-about = 若干用户，每个用户收到响应后才发送下一个请求。阴影为 95% 区间。
plot-tail = 预测 P99 与请求速率
plot-tail-about = 请求随机到达，横轴为每秒请求数；100 个请求中有 99 个快于该线。线在该侧跟不上的速率处终止。阴影为 95% 区间；两轴均为对数刻度。
axis-requests = 每秒请求数
axis-tail = P99（毫秒）
legend-rate = 表中的速率，{ $rate }/s
