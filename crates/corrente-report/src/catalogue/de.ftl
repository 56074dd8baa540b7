# Deutsch: die Texte der Berichte, der Vergleiche, des Fortschritts und der Befehlszeile.
# Eine Meldung je Zeile; Kennungen und Argumente stehen in message.rs.

# Der Bericht als Ganzes.
report-title = Synchrones und asynchrones Python: veröffentlichte Behauptungen, hier gemessen
report-lead = { $findings ->
    [one] Eine Behauptung
   *[other] { $findings } Behauptungen
  } aus { $scenarios ->
    [one] einem Szenario
   *[other] { $scenarios } Szenarien
  }, jede neben ihrer eigenen Messung auf dieser Maschine.
report-footer = Erstellt von Corrente { $version } aus einem Dokument { $schema }. Diese Seite lädt nichts aus dem Netz.
report-running = Der Lauf war noch nicht beendet, als dieser Bericht geschrieben wurde.
report-empty = Der Lauf enthält kein Szenario.
note-smoke = Probelauf: Er zeigt, dass jedes Teil funktioniert. Seine Zahlen belegen nichts.
note-quick = Schneller Lauf: weniger Vorgänge und Wiederholungen als veröffentlicht. Die Intervalle sind breiter.
note-invalid = Mit „!“ bezeichnet: nicht als Ergebnis zu werten.
note-absolute = Absolute Zahlen gelten nur für diese Maschine; die Schlüsse ruhen auf den Verhältnissen.

# Überschriften.
heading-summary = Urteile
heading-conditions = Bedingungen
heading-reading = Wie dieser Bericht zu lesen ist
heading-findings = Behauptungen und Urteile
heading-remarks = Anmerkungen
heading-differences = Was vom Original abweicht
heading-contenders = Teilnehmer
heading-measurements = Alle Messungen
heading-plots = Weitere Diagramme
heading-sweep = Was die Abstimmung versucht hat
heading-factors = Was jede Änderung beitrug
heading-source = Quelle

# Spaltenköpfe und Feldnamen.
column-scenario = Szenario
column-claim = Behauptung
column-case = Fall
column-published = Publiziert
column-measured = Gemessen
column-naive = Faustregel
column-verdict = Urteil
column-contender = Teilnehmer
column-side = Seite
column-server = Server
column-framework = Framework
column-driver = Treiber
column-concurrency = Nebenläufigkeit
column-settings = Einstellungen
column-rate = Op/s
column-maximum = Max.
column-errors = Fehler
column-cpu = CPU-s/1000
column-memory = PSS-Spitze
column-cost = { $currency }/Million
column-note = Hinweis
column-factor = Änderung
column-step = Von → nach
column-ratio = Verhältnis
column-share = Anteil
column-latency = Latenz, ms

# Bedingungen eines Laufs.
field-processor = Prozessor
field-cores = { $cores ->
    [one] 1 logischer Prozessor
   *[other] { $cores } logische Prozessoren
  }
field-virtual = virtuelle Maschine
field-memory = Arbeitsspeicher
field-kernel = Kernel
field-python = Python
field-postgres = PostgreSQL
field-mode = Modus
field-seed = Startwert
field-rounds = Wiederholungen
field-started = Beginn
field-finished = Ende
field-prices = Preise
field-prices-text = { $vcpu } { $currency } je vCPU-Stunde, { $gib } { $currency } je GiB-Stunde; nach Anfragen: { $requests } { $currency } je Million Anfragen, { $second } { $currency } je GiB-Sekunde
field-price-source = Herkunft der Preise
field-versions = Versionen
field-placement = Prozessoren
field-placement-text = Anwendung auf { $application }; Generator, Gegenstelle und Datenbank auf { $others }
field-speed = Geschwindigkeit
field-speed-text = { $low } bis { $high } Runden Python-Arbeit je Millisekunde; während einer Messung änderte sie sich um höchstens { $moved }
field-not-pinned = nicht zugewiesen
field-elapsed = Dauer

# Modi.
mode-smoke = Probelauf
mode-quick = schnell
mode-full = vollständig

# Urteile und Ausgänge.
verdict-confirmed = bestätigt
verdict-refuted = widerlegt
verdict-inconclusive = unentschieden
verdict-invalid = ungültig
verdict-not-measured = nicht gemessen
outcome-not-measured = Nicht gemessen: { $reason }
outcome-failed = Während des Laufs gescheitert: { $reason }
contender-missing = fehlt: { $reason }

# Warum eine Messung kein Ergebnis ist.
invalid-generator = Lastgenerator ausgelastet
invalid-others = Gegenstelle oder Datenbank ausgelastet
invalid-noisy = Wiederholungen weichen zu stark ab
invalid-stolen = Hypervisor nahm Prozessorzeit
invalid-foreign = andere Programme nutzten den Prozessor
invalid-of = { $count } von { $all } Messungen ungültig: { $reasons }

# Seiten, Größen, Faktoren.
side-sync = synchron
side-async = asynchron
side-reference = Bezug
measure-throughput = Durchsatz
measure-p50 = P50-Latenz
measure-p99 = P99-Latenz
measure-open-p50 = P50 bei gleicher Rate
measure-open-p99 = P99 bei gleicher Rate
measure-errors = Fehleranteil
measure-cpu = CPU-Zeit je Vorgang
measure-memory = Speicherspitze
measure-cost = Kosten je Vorgang
measure-idle = CPU-Leerlaufzeit
measure-time = benötigte Zeit
measure-unit-memory = Speicher je Task
measure-start = Startzeit je Task
measure-switch = Wechselzeit
factor-server = Server
factor-framework = Framework
factor-driver = Treiber oder Client
factor-concurrency = Event-Loop statt Prozessen oder Threads
factor-gather = gleichzeitige Aufrufe
factor-loop = Implementierung der Event-Loop
factor-tuning = Zahl der Worker und Threads
factor-total = zusammen

# Behauptungen.
claim-tuned = synchrone Seite abgestimmt
claim-higher = höher
claim-lower = niedriger
labelled = { $label }: { $value }
joined = { $first }, { $second }
at-rate = bei { $rate }/s
cases-in-all = { $count ->
    [one] 1 Fall
   *[other] { $count } Fälle
  }
users-in-all = { $count } Nutzer
model-says = Modell { $gain }
shipped-says = ab Werk { $gain }
sweep-best = beste
sweep-failed = gescheitert
sweep-of = { $contender }, abgestimmt auf { $case }

# Wie ein Bericht zu lesen ist.
read-ratio = Jede Behauptung ist ein Verhältnis zweier Teilnehmer, „von / zu“, gemessen im selben Fall auf derselben Maschine. In eckigen Klammern steht das 95-%-Intervall. Über 1 heißt mehr: besser beim Durchsatz, schlechter bei Latenz, Speicher und Kosten.
read-verdict = Eine Behauptung ist bestätigt, wenn das ganze Intervall zwischen dem durch 1,25 geteilten und dem mit 1,25 malgenommenen veröffentlichten Verhältnis liegt; sie ist widerlegt, wenn das ganze Intervall außerhalb liegt. Wo nur eine Grenze (≥ oder ≤) veröffentlicht wurde, gilt für sie derselbe Spielraum. Eine Behauptung über mehrere Fälle ist nur dann bestätigt oder widerlegt, wenn alle Fälle übereinstimmen.
read-direction = Wo nur eine Richtung veröffentlicht wurde, muss das ganze Intervall mindestens 5 % auf der behaupteten Seite liegen.
read-inconclusive = Alles andere ist unentschieden: Die Messung gibt keinen Ausschlag.
read-invalid = Eine Messung ist ungültig, wenn Lastgenerator, Gegenstelle oder Datenbank keine Reserve mehr hatten, der Teilnehmer aber schon (wer seine eigenen Prozessoren ausfüllt, ist die Grenze, wie beschäftigt die anderen auch sind), wenn die Wiederholungen eines Teilnehmers stärker abweichen, als die Rauschprüfung zulässt, oder wenn der Hypervisor oder andere Programme der Maschine Prozessorzeit entzogen. Sie stützt dann kein Urteil. Dass sich die Geschwindigkeit des Prozessors selbst ändert, ist für sich kein Grund: Die Teilnehmer wechseln sich ab, sodass es die Intervalle weitet. Ändert sie sich so sehr, dass die Wiederholungen eines Teilnehmers stärker abweichen, als die Rauschprüfung zulässt, sind sie deshalb ungültig.
read-naive = Die Faustregel lautet: Gewinn = 1 + T_io / T_cpu, also die Wartezeit einer Anfrage geteilt durch ihre Prozessorzeit, auf der synchronen Seite mit einem einzigen Nutzer vor dem Lauf gemessen. Sie steht neben dem Gewinn, der dann gemessen wurde.
read-model = Wo eine Zeile mit „Modell“ beginnt, hat Correntes Modell den Gewinn vor den beurteilten Messungen vorhergesagt: aus einem einzigen Nutzer auf der synchronen Seite und daraus, was die Stacks bei anderen Anfragen kosten, um die es in keiner Behauptung geht. Die Klammern enthalten sein 95-%-Intervall.
read-shipped = Wo eine Zeile mit „ab Werk“ beginnt, hat das Modell dasselbe ohne irgendetwas von der asynchronen Seite vorhergesagt: aus der synchronen Seite allein und den Kosten der Stacks, die mit Corrente kommen, umgerechnet auf diese Maschine mit der Wurzel des Verhältnisses beider Geschwindigkeiten.
read-tuned = Veröffentlichte Vergleiche stellen oft eine abgestimmte asynchrone Seite gegen eine nicht abgestimmte synchrone. Wo „synchrone Seite abgestimmt“ steht, wurde zuerst die Zahl der Worker und Threads mit dem besten Durchsatz gesucht.
read-latency = Im geschlossenen Kreis enthält die Latenz die Warteschlange, die die Nutzer selbst bilden. Bei gleicher Rate bekommt jeder Teilnehmer dieselbe offene Last, und die Zeit zählt ab dem vorgesehenen Sendezeitpunkt. Ein Perzentil wird nur gezeigt, wenn mindestens zehn Stichproben darüber liegen.
read-factors = Eine Migration ändert mehrere Dinge zugleich. Wo sie zerlegt wurde, ändert jeder Schritt nur eines; die Anteile sind Teile des Logarithmus des gesamten Gewinns und ergeben zusammen 100 %.
read-cost = Die Kosten sind die einer Million Vorgänge zu den obigen Preisen, auf stundenweise gekaufter und voll genutzter Kapazität.
read-absolute = Vorgänge je Sekunde, Millisekunden und Bytes sind die dieser Maschine, auf der auch Generator, Gegenstelle und Datenbank laufen. Sie sind nicht mit Zahlen von anderswo zu vergleichen; zu vergleichen sind die Verhältnisse.

# Diagramme: Titel, Beschreibungen, Achsen, Legenden.
plot-latency = Latenz nach Perzentil: { $case }
plot-latency-open = Latenz nach Perzentil bei { $rate }/s für alle: { $case }
plot-latency-about = Jeder Schritt nach rechts auf der Perzentilachse lässt ein Zehntel der Anfragen jenseits; die Millisekunden steigen in Zehnerpotenzen. Niedriger ist besser.
plot-users = Durchsatz nach Zahl der Nutzer { $parameters }
plot-users-about = Vorgänge je Sekunde über gleichzeitigen Nutzern, eine Linie je Teilnehmer; die Balken umspannen die Wiederholungen.
plot-prediction = Was die Faustregel vorhersagte und was gemessen wurde
plot-prediction-about = Jeder Punkt ist eine Behauptung in einem Fall. Auf der gestrichelten Linie stimmte die Vorhersage; darunter versprach die Regel zu viel.
plot-model = Was das Modell vor dem Lauf vorhersagte, und was gemessen wurde
plot-model-about = Jeder Punkt ist eine Behauptung in einem Fall. Auf der gestrichelten Linie stimmte die Vorhersage; darunter versprach das Modell zu viel.
plot-forest = Veröffentlichtes Verhältnis und gemessenes Intervall
plot-forest-about = Je Behauptung ist das schattierte Band das, was als bestätigt gilt; die Marken mit Linien sind die gemessenen Verhältnisse mit ihren 95-%-Intervallen. Die Form der Marke ist das Urteil.
plot-factors = Was jede Änderung beitrug: { $case }
plot-factors-about = Jeder Balken reicht vom Gewinn vor einer Änderung bis zum Gewinn danach, auf logarithmischer Skala.
plot-region = Wo es gilt: { $claim }
plot-region-about = Gemessenes Verhältnis für jedes Paar von Parametern; das Zeichen ist das Urteil an dieser Stelle.
axis-percentile = Perzentil der Anfragen
axis-latency = Latenz, ms
axis-users = gleichzeitige Nutzer
axis-throughput = Vorgänge je Sekunde, diese Maschine
axis-predicted = Gewinn nach der Faustregel
axis-model = Gewinn nach dem Modell
axis-measured = gemessener Gewinn
axis-ratio = Verhältnis, von / zu
legend-published = veröffentlicht, ÷1,25 bis ×1,25
legend-equal = Vorhersage gleich Messung
legend-more = mehr als 1
legend-less = weniger als 1

# Zwei Läufe nebeneinander.
compare-title = Zwei Läufe im Vergleich
compare-runs = A: { $first }    B: { $second }
compare-machines = Die Maschinen unterscheiden sich: nur Verhältnisse und Urteile vergleichen, keine absoluten Zahlen.
compare-modes = Die Modi unterscheiden sich: Der Lauf mit weniger Vorgängen hat breitere Intervalle.
compare-field = { $field }: { $first } (A), { $second } (B)
compare-versions = Die Interpreter oder Programme unterscheiden sich.
compare-findings = Urteile
compare-throughputs = Durchsatz je Teilnehmer, B / A
compare-verdicts = { $count ->
    [one] Von einer Behauptung in beiden Läufen
   *[other] Von { $count } Behauptungen in beiden Läufen
  } { $changed ->
    [0] änderte keine ihr Urteil.
    [one] änderte eine ihr Urteil.
   *[other] änderten { $changed } ihr Urteil.
  }
compare-only-first = nur in A: { $name }
compare-only-second = nur in B: { $name }
compare-nothing = Die beiden Läufe haben kein Szenario gemeinsam.
compare-ratio-head = B / A

# Was Endpunkte kosten und worauf sie warten.
gauge-title = Was die Endpunkte kosten und worauf sie warten
gauge-processes = { $count ->
    [one] ein Prozess
   *[other] { $count } Prozesse
  }
gauge-memory = je { $memory }
requests-in-all = { $count ->
    [one] eine Anfrage
   *[other] { $requests } Anfragen
  }
gauge-traffic = { $requests } in { $time } ({ $rate }/s)
gauge-traffic-part = { $requests } gezählt in { $time }, und andere, die nicht gezählt werden konnten
gauge-in-flight = { $mean } gleichzeitig in einem Prozess
gauge-server-cpu = der Server selbst braucht { $time } ms CPU je Anfrage
gauge-loop = die Ereignisschleifen sind { $share } der Zeit beschäftigt
gauge-empty = Keine Anfrage wurde gezählt.
gauge-read = Zeiten sind Mittelwerte je Anfrage in Millisekunden.
gauge-read-blocking = Warten/CPU ist der Blockierungskoeffizient: Warten geteilt durch Rechnen.
gauge-read-calls = „ms/Aufruf“ ist, was ein Aufruf neben seinem Rechnen dauert.
gauge-read-together = „Zusammen“ ist, was es höchstens spart, die Aufrufe einer Zeile zusammen zu machen; nichts hier beweist, dass sie unabhängig sind.
gauge-at-most = „≤“: keine dieser Anfragen wurde gefragt, wie lange sie auf einen Prozessor gewartet hat; mehr kann das Warten also nicht sein.
gauge-narrow = Aus Platzmangel weggelassen: { $columns }. Ein breiteres Terminal, `--json` und `--html` haben alles.
gauge-doubts = Was sich nicht sagen ließ
gauge-written = Aufzeichnung geschrieben nach { $path }
gauge-watching = { $path }, die letzten { $time }
gauge-waiting = Noch keine Anfrage.
gauge-ended = Die Aufzeichnung ist beendet.
gauge-sampling = Prozess { $pid } wird { $time } lang beobachtet
calibrate-written = Kosten geschrieben nach { $path }: { $names }
column-endpoint = Endpunkt
column-requests = Anfragen
column-cpu-ms = CPU ms
column-wait-ms = Warten ms
column-p99-ms = P99 ms
column-blocking = Warten/CPU
column-waits = Pausen
column-stalls = Stillstand ms
column-place = Wo die Schleife stillstand
column-waited-in = Wartete in
column-count = Anzahl
column-longest-ms = Längster ms
column-cpu-share = CPU
column-resource = Ressource
column-calls = Aufrufe
column-call-wait = ms/Aufruf
column-gather = Zusammen spart ms
column-blocking-calls = Blockierend
plot-times = Wohin die Zeit einer Anfrage geht
plot-times-about = Jeder Balken ist eine mittlere Anfrage. Rechnen braucht einen Kern; Warten braucht keinen, aber ein synchroner Worker bleibt so lange belegt. Die Zeit in der Schlange vor einem Prozessor ist weggelassen. Die Endpunkte, die den Dienst am meisten beschäftigen, stehen oben.
axis-times = Millisekunden je Anfrage
legend-computing = Rechnen
legend-stalls = hält die Schleife auf
legend-waiting = Warten

# Fortschritt eines Laufs.
progress-setting-up = { $scenario } wird vorbereitet
progress-scenario = Szenario { $number } von { $count }: { $scenario }
progress-starting = { $contender } wird gestartet
progress-warming = { $contender } wird warmgefahren
progress-tuning = { $contender } wird abgestimmt
progress-measuring = { $contender } wird gemessen in { $case }
progress-round = Wiederholung { $number } von { $count }
progress-checking = Prüfung, wie ruhig die Maschine ist
progress-stopping = { $contender } wird angehalten
progress-time-left = noch etwa { $time }
progress-skipped = { $scenario } nicht gemessen: { $reason }
progress-failed = { $scenario } gescheitert: { $reason }
progress-finished = Beendet nach { $time }
progress-interrupted = Unterbrochen; was bisher gemessen wurde, bleibt erhalten
progress-report-written = Bericht geschrieben nach { $path }
progress-not-whole = Exit-Code 1, weil etwas nicht laufen konnte: { $parts }
progress-result-written = Ergebnis geschrieben nach { $path }

# Wörter der Befehlszeile.
label-scenarios = { $count ->
    [one] Ein Szenario
   *[other] { $count } Szenarien
  }
label-ready = bereit
label-needs = benötigt { $parts }
label-takes = dauert etwa { $time }
label-error = Fehler
label-warning = Warnung
hint-detail = Die Zahlen hinter einem Urteil: { $command }
hint-open = { $path } in einem Browser öffnen.

# Was Asynchronität brächte.
predict-title = Was Asynchronität brächte
predict-loop-title = Wohin die Zeit der Schleife geht
predict-verdict = Urteil: { $verdict }
predict-migrate = umstellen
predict-tune = einstellen, was da ist
predict-no-gain = kein Gewinn
predict-worse = schlechter
predict-cannot-tell = nicht zu sagen
predict-tune-short = einstellen
predict-workers-wait = Worker sind belegt, während ihre Anfragen warten, je { $wait } von { $wall } ms, und keine bessere Einstellung im Speicher der Maschine macht ebenso viele frei.
predict-cheaper = Die Kerne sind die Grenze, und der andere Stack braucht { $after } ms CPU je Anfrage statt { $before } ms.
predict-better = { $setting } bringen { $rate } Anfragen/s mit { $memory } Speicher; Asynchronität brächte { $other }, was nicht sicher genug mehr ist.
predict-beyond = Die beste Einstellung, { $setting }, bringt { $rate } Anfragen/s; Asynchronität brächte { $other }.
predict-unblock = Blockierende Aufrufe halten die Schleife { $share } ihrer aktiven Zeit auf, am meisten { $resource }: mit await erwarten oder in einen Thread verlegen.
predict-loop-free = Der Dienst ist schon asynchron, und nur { $share } der aktiven Zeit seiner Schleife ist blockiert.
predict-same-limit = Beide Seiten haben dieselbe Grenze: { $limit }.
predict-small = Was es brächte, ist weniger, als eine Änderung wert ist.
predict-dearer = Der andere Stack braucht mehr CPU je Anfrage: { $after } ms statt { $before } ms.
predict-new-limit = Asynchron läge eine Grenze tiefer als heute: { $limit }.
predict-few = Zu wenig ist aufgezeichnet ({ $requests }): mindestens { $more } weitere aufzeichnen.
predict-few-of = Zu wenige Anfragen von { $endpoint } sind aufgezeichnet: mindestens { $more } weitere sind nötig.
predict-failing = { $share } seiner Anfragen scheiterten (Status ab 400 oder Ausnahme): was sie kosten, wenn sie gelingen, ist nicht aufgezeichnet.
predict-failing-of = { $share } der Anfragen von { $endpoint } scheiterten (Status ab 400 oder Ausnahme): was sie kosten, wenn sie gelingen, ist nicht aufgezeichnet.
predict-wide = Das Intervall ist zu breit; etwa { $more } weitere Anfragen machten es schmal genug.
predict-unsure = Mehr Anfragen hülfen nicht: das Intervall kommt von den Kosten von { $stack } und vom eigenen Fehler des Modells.
predict-greenlets = Greenlets (gevent, eventlet) lassen viele Anfragen in einem Thread laufen: was jede kostet, ist nicht messbar. Den Dienst mit Threads aufzeichnen (`gunicorn -k gthread`).
predict-thread-pool = Anfragen werden in einem Thread-Pool unter der Anwendung bearbeitet, den das Modell nicht enthält.
predict-no-cpu = Die Aufzeichnung ist von außen oder aus Traces gemacht und hat keine CPU-Zeiten einzelner Anfragen; `corrente gauge run` benutzen.
predict-lock = Keine beobachtete Bibliothek erklärt { $share } des Wartens: lässt sich mit await warten, gilt der Gewinn; ist es eine Sperre oder eine andere Schlange, in der alle Anfragen stehen, gilt er nicht.
predict-mixed = Die Aufzeichnung enthält Anfragen von WSGI und von ASGI: das sind zwei Dienste; jeden aus einer eigenen Aufzeichnung vorhersagen.
predict-free-threaded = Der Interpreter läuft ohne GIL, was das Modell nicht beschreibt.
predict-failed = Das Modell hat keine Antwort: { $detail }.
predict-limit-users = gleichzeitige Nutzer
predict-limit-workers = Worker, Threads
predict-limit-cores = Kerne
predict-limit-blocked = blockierte Schleifen
predict-limit-pool = Verbindungen zu { $resource }
predict-setting-threads = { $workers } Worker × { $threads ->
    [one] ein Thread
   *[other] { $threads } Threads
  }
predict-setting-loops = { $loops ->
    [one] eine Schleife
   *[other] { $loops } Schleifen
  }
predict-setting-flags = { $setting } (`{ $flags }`)
predict-setting-pool = { $setting }, Pool { $pool }
predict-now = Jetzt
predict-async = Asynchron
predict-unblocked = Nichts blockiert
predict-row-setting = Einstellung, { $cores } Kerne
predict-row-rate = Anfragen/s höchstens
predict-row-limit = Grenze
predict-row-median = P50 ms bei { $rate }/s
predict-row-tail = P99 ms bei { $rate }/s
predict-overloaded = kommt nicht nach
predict-row-cpu = CPU ms je Anfrage
predict-row-memory = Speicher
predict-row-cost = Kosten einer Million
predict-gain = Gewinn an Durchsatz: { $gain } { $range }
predict-rule = die Regel 1 + Warten/Rechnen sagt { $gain }
predict-gather = Hängen die Aufrufe einer Zeile nicht voneinander ab und werden sie zusammen gemacht, sinkt P50 auf { $time } ms.
predict-head-gain = Gewinn
predict-head-rule = Regel
predict-reason = { $endpoint }: { $reason }
predict-assumed = Vorausgesetzt
predict-unexplained = Keine beobachtete Bibliothek erklärt { $share } des Wartens: die Vorhersage gilt, wo sich mit await warten lässt.
predict-borrowed = { $stack } wurde nicht gemessen: die Kosten sind die von { $source }, weniger sicher.
predict-unknown-driver = { $driver } oder sein Gegenstück wurde nicht gemessen: ein Aufruf gilt auf beiden Seiten als gleich teuer.
predict-other-machine = Die Kosten der Stacks sind die einer anderen Maschine ({ $processor }), nach der Geschwindigkeit bei Python-Arbeit auf diese umgerechnet; diese Kosten können um den Faktor { $doubt } falsch sein, von ähnlichen Stacks übernommene um mehr. Wie man sie hier misst: `corrente gauge calibrate --help`.
predict-other-speed = Die Kosten der Stacks wurden auf diesem Prozessor ({ $processor }) gemessen, als er bei Python-Arbeit { $times }-mal so schnell war, und sind zum Teil umgerechnet; diese Kosten können um den Faktor { $doubt } falsch sein, von ähnlichen Stacks übernommene um mehr. Wie man sie hier misst: `corrente gauge calibrate --help`.
predict-other-python = Die Kosten der Stacks wurden auf diesem Prozessor ({ $processor }) mit Python { $python } gemessen und nach der Geschwindigkeit beider bei Python-Arbeit umgerechnet; diese Kosten können um den Faktor { $doubt } falsch sein, von ähnlichen Stacks übernommene um mehr. Wie man sie hier misst: `corrente gauge calibrate --help`.
predict-unknown-speed = Die Kosten der Stacks sind, wie sie gemessen wurden, nicht auf diese Maschine umgerechnet: wie schnell sie bei Python-Arbeit ist, ist nicht bekannt, oder wie schnell die andere war. Wie man sie hier misst: `corrente gauge calibrate --help`.
predict-lowered = Anfragen brauchten weniger CPU, als ihr Stack brauchen müsste: die Kosten beider Seiten sind auf { $share } der gemessenen gesenkt.
predict-pool = Jede Schleife hat { $connections } Verbindungen zu einer Datenbank (`--pool`).
predict-elastic = { $resource } soll { $predicted } Aufrufe zugleich so schnell beantworten wie die { $recorded } aufgezeichneten. Rechnet es auf denselben Kernen oder ist es nahe seiner eigenen Grenze, gelingt ihm das nicht.
predict-cores = Die Aufzeichnung sagt nicht, wie viele Kerne es gibt: { $cores } (`--cores`).
predict-never-alone = Anfragen waren kaum je allein in ihrem Prozess, ihr Warten enthält also das auf die Sperre des Interpreters: der Gewinn ist überschätzt.
predict-line-unknown = Die Aufzeichnung sagt nicht, wie lange Anfragen auf einen Prozessor gewartet haben: alle Zeit ohne einen zählt als Warten.
predict-crowded = { $processes } Prozesse je Kern sind mehr, als je eine Kalibrierung hatte: bei so kurzem Warten brauchten sechzehn gemessen bis zu doppelt so viel CPU wie einer.
predict-few-simulated = Die Zahlen beruhen auf { $requests } simulierten Anfragen: mehr brauchten länger als eine Sekunde, weil jede so lange rechnet oder so viele Aufrufe macht. Sie sind darum weniger genau, vor allem P99.
predict-loop = Eine Anfrage rechnet { $cpu } ms und blockiert ihre Schleife weitere { $blocked } ms.
predict-loop-busy = Die Schleife ist { $share } der Zeit aktiv.
predict-blocker = { $resource }: { $time } ms
predict-nameless = nicht in einer beobachteten Bibliothek
predict-stack-unknown = (Server und Framework nicht bekannt)
predict-service = Der Dienst
predict-sides = Beide Seiten
predict-each = Jeder Endpunkt für sich
plot-capacity = Vorhergesagter Durchsatz nach gleichzeitigen Nutzern
plot-capacity-about = So viele Nutzer, von denen jeder die nächste Anfrage schickt, wenn die Antwort da ist. Die schattierten Bänder sind 95-%-Intervalle.
plot-tail = Vorhergesagtes P99 nach Rate
plot-tail-about = Anfragen kommen zufällig, so viele je Sekunde; 99 von 100 sind schneller als die Linie. Eine Linie endet, wo ihre Seite nicht nachkommt. Die schattierten Bänder sind 95-%-Intervalle; beide Achsen sind logarithmisch.
axis-requests = Anfragen je Sekunde
axis-tail = P99, ms
legend-rate = die Rate der Tabelle, { $rate }/s
