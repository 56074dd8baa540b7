# Italiano: i testi di resoconti, confronti, avanzamento e riga di comando.
# Un messaggio per riga; gli identificatori e gli argomenti sono elencati in message.rs.

# Il resoconto nel suo insieme.
report-title = Python sincrono e asincrono: le affermazioni pubblicate, misurate qui
report-lead = { $findings ->
    [one] Un’affermazione
   *[other] { $findings } affermazioni
  } da { $scenarios ->
    [one] uno scenario
   *[other] { $scenarios } scenari
  }, ciascuna accanto alla propria misurazione su questa macchina.
report-footer = Prodotto da Corrente { $version } a partire da un documento { $schema }. Questa pagina non carica nulla dalla rete.
report-running = L’esecuzione non era terminata quando il resoconto è stato scritto.
report-empty = L’esecuzione non contiene alcuno scenario.
note-smoke = Esecuzione di prova: mostra che ogni parte funziona. Le sue cifre non dimostrano nulla.
note-quick = Esecuzione rapida: meno operazioni e meno ripetizioni di quelle pubblicate. Gli intervalli sono più ampi.
note-invalid = Segnato con «!»: da non considerare come risultato.
note-absolute = Le cifre assolute valgono solo per questa macchina; le conclusioni poggiano sui rapporti.

# Titoli.
heading-summary = Verdetti
heading-conditions = Condizioni
heading-reading = Come leggere il resoconto
heading-findings = Affermazioni e verdetti
heading-remarks = Osservazioni
heading-differences = Che cosa differisce dall’originale
heading-contenders = Concorrenti
heading-measurements = Tutte le misurazioni
heading-plots = Altri grafici
heading-sweep = Che cosa ha provato la messa a punto
heading-factors = Quanto ha contribuito ogni modifica
heading-source = Fonte

# Intestazioni di colonna e nomi di campo.
column-scenario = Scenario
column-claim = Affermazione
column-case = Caso
column-published = Pubblicato
column-measured = Misurato
column-naive = Regola semplice
column-verdict = Verdetto
column-contender = Concorrente
column-side = Parte
column-server = Server
column-framework = Framework
column-driver = Driver
column-concurrency = Concorrenza
column-settings = Impostazioni
column-rate = Op/s
column-maximum = Max
column-errors = Errori
column-cpu = CPU-s/1000
column-memory = PSS massimo
column-cost = { $currency }/milione
column-note = Nota
column-factor = Modifica
column-step = Da → a
column-ratio = Rapporto
column-share = Quota
column-latency = Latenza, ms

# Condizioni di un’esecuzione.
field-processor = Processore
field-cores = { $cores ->
    [one] 1 processore logico
   *[other] { $cores } processori logici
  }
field-virtual = macchina virtuale
field-memory = Memoria
field-kernel = Kernel
field-python = Python
field-postgres = PostgreSQL
field-mode = Modalità
field-seed = Seme casuale
field-rounds = Ripetizioni
field-started = Inizio
field-finished = Fine
field-prices = Prezzi
field-prices-text = { $vcpu } { $currency } per vCPU e ora, { $gib } { $currency } per GiB e ora; a richiesta: { $requests } { $currency } per milione di richieste, { $second } { $currency } per GiB e secondo
field-price-source = Origine dei prezzi
field-versions = Versioni
field-placement = Processori
field-placement-text = applicazione su { $application }; generatore, origine e database su { $others }
field-speed = Velocità
field-speed-text = da { $low } a { $high } giri di lavoro Python al millisecondo; entro una misurazione è cambiata al massimo del { $moved }
field-not-pinned = non vincolati
field-elapsed = Durata

# Modalità.
mode-smoke = di prova
mode-quick = rapida
mode-full = completa

# Verdetti ed esiti.
verdict-confirmed = confermato
verdict-refuted = confutato
verdict-inconclusive = non conclusivo
verdict-invalid = non valido
verdict-not-measured = non misurato
outcome-not-measured = Non misurato: { $reason }
outcome-failed = Interrotto da un guasto: { $reason }
contender-missing = mancante: { $reason }

# Perché una misurazione non è un risultato.
invalid-generator = generatore di carico saturo
invalid-others = origine o database saturi
invalid-noisy = ripetizioni troppo diverse
invalid-stolen = tempo di processore tolto dall’hypervisor
invalid-foreign = processore usato da altri programmi
invalid-of = { $count } misurazioni su { $all } non valide: { $reasons }

# Parti, grandezze, fattori.
side-sync = sincrono
side-async = asincrono
side-reference = riferimento
measure-throughput = throughput
measure-p50 = latenza P50
measure-p99 = latenza P99
measure-open-p50 = P50 a pari frequenza
measure-open-p99 = P99 a pari frequenza
measure-errors = quota di errori
measure-cpu = tempo di CPU per operazione
measure-memory = picco di memoria
measure-cost = costo per operazione
measure-idle = tempo di inattività della CPU
measure-time = tempo impiegato
measure-unit-memory = memoria per task
measure-start = tempo di avvio per task
measure-switch = tempo di commutazione
factor-server = server
factor-framework = framework
factor-driver = driver o client
factor-concurrency = event loop al posto di processi o thread
factor-gather = chiamate contemporanee
factor-loop = implementazione dell’event loop
factor-tuning = numero di worker e thread
factor-total = insieme

# Affermazioni.
claim-tuned = parte sincrona messa a punto
claim-higher = più alto
claim-lower = più basso
labelled = { $label }: { $value }
joined = { $first }, { $second }
at-rate = a { $rate }/s
cases-in-all = { $count ->
    [one] 1 caso
   *[other] { $count } casi
  }
users-in-all = { $count ->
    [one] 1 utente
   *[other] { $count } utenti
  }
model-says = modello { $gain }
shipped-says = forniti { $gain }
sweep-best = migliore
sweep-failed = fallito
sweep-of = { $contender }, messo a punto su { $case }

# Come leggere un resoconto.
read-ratio = Ogni affermazione è un rapporto fra due concorrenti, «di / su», misurato nello stesso caso sulla stessa macchina. Tra parentesi quadre sta il suo intervallo al 95%. Sopra 1 significa di più: meglio per il throughput, peggio per latenza, memoria e costo.
read-verdict = Un’affermazione è confermata se l’intero intervallo sta fra il rapporto pubblicato diviso per 1,25 e lo stesso moltiplicato per 1,25, ed è confutata se l’intero intervallo ne sta fuori. Dove è stato pubblicato solo un limite (≥ o ≤), vale lo stesso margine. Un’affermazione su più casi è confermata o confutata solo se tutti i casi concordano.
read-direction = Se è stata pubblicata solo una direzione, l’intero intervallo deve trovarsi almeno il 5% dalla parte affermata.
read-inconclusive = Tutto il resto è non conclusivo: la misurazione non decide.
read-invalid = Una misurazione non è valida se il generatore di carico, l’origine o il database non avevano più margine mentre il concorrente ne aveva ancora (chi riempie i propri processori è il limite, per quanto gli altri siano occupati), se le ripetizioni di un concorrente differiscono più di quanto ammetta la prova del rumore, o se l’hypervisor o altri programmi della macchina hanno tolto tempo di processore. In tal caso non sostiene alcun verdetto. Che la velocità stessa del processore cambi non è di per sé un motivo: i concorrenti si alternano, e così si allargano gli intervalli. Se cambia al punto che le ripetizioni di un concorrente differiscono più di quanto ammetta la prova del rumore, per questo non sono valide.
read-naive = La regola semplice dice: guadagno = 1 + T_io / T_cpu, cioè il tempo di attesa di una richiesta diviso per il suo tempo di processore, rilevati sulla parte sincrona con un solo utente prima della misurazione. Sta accanto al guadagno poi misurato.
read-model = Dove una riga comincia con «modello», il modello di Corrente ha previsto il guadagno prima delle misurazioni giudicate: da un solo utente sulla parte sincrona e da quanto gli stack costano con altre richieste, su cui nessuna affermazione verte. Le parentesi contengono il suo intervallo al 95%.
read-shipped = Dove una riga comincia con «forniti», il modello ha previsto lo stesso senza nulla della parte asincrona: dalla sola parte sincrona e dai costi degli stack forniti con Corrente, riportati a questa macchina con la radice quadrata del rapporto tra le due velocità.
read-tuned = I confronti pubblicati oppongono spesso una parte asincrona messa a punto a una sincrona che non lo è. Dove si legge «parte sincrona messa a punto», worker e thread sono stati prima cercati per il throughput migliore.
read-latency = Nel ciclo chiuso la latenza comprende la coda che gli utenti stessi formano. A pari frequenza ogni concorrente riceve lo stesso carico a ciclo aperto e il tempo si conta dall’istante di invio previsto. Un percentile compare solo se almeno dieci campioni lo superano.
read-factors = Una migrazione cambia più cose insieme. Dove è stata scomposta, ogni passo ne cambia una sola; le quote sono parti del logaritmo del guadagno complessivo e sommano a 100%.
read-cost = Il costo è quello di un milione di operazioni ai prezzi indicati sopra, con capacità acquistata a ore e del tutto utilizzata.
read-absolute = Operazioni al secondo, millisecondi e byte sono quelli di questa macchina, che ospita anche generatore, origine e database. Non vanno confrontati con cifre ottenute altrove; si confrontino i rapporti.

# Grafici: titoli, descrizioni, assi, legende.
plot-latency = Latenza per percentile: { $case }
plot-latency-open = Latenza per percentile a { $rate }/s per tutti: { $case }
plot-latency-about = Ogni passo verso destra sull’asse dei percentili lascia oltre di sé un decimo delle richieste; i millisecondi crescono per potenze di dieci. Più basso è meglio.
plot-users = Throughput per numero di utenti { $parameters }
plot-users-about = Operazioni al secondo secondo gli utenti contemporanei, una linea per concorrente; le barre coprono le ripetizioni.
plot-prediction = Che cosa prevedeva la regola semplice e che cosa si è misurato
plot-prediction-about = Ogni punto è un’affermazione in un caso. Sulla linea tratteggiata la previsione era giusta; sotto di essa la regola prometteva troppo.
plot-model = Che cosa ha previsto il modello prima dell’esecuzione, e che cosa è stato misurato
plot-model-about = Ogni punto è un’affermazione in un caso. Sulla linea tratteggiata la previsione era giusta; al di sotto, il modello prometteva troppo.
plot-forest = Rapporto pubblicato e intervallo misurato
plot-forest-about = Per ogni affermazione la fascia ombreggiata è ciò che vale come conferma; i segni con le linee sono i rapporti misurati con i loro intervalli al 95%. La forma del segno è il verdetto.
plot-factors = Quanto ha contribuito ogni modifica: { $case }
plot-factors-about = Ogni barra va dal guadagno prima di una modifica a quello dopo, su scala logaritmica.
plot-region = Dove vale: { $claim }
plot-region-about = Rapporto misurato per ogni coppia di parametri; il segno è il verdetto in quel punto.
axis-percentile = percentile delle richieste
axis-latency = latenza, ms
axis-users = utenti contemporanei
axis-throughput = operazioni al secondo, questa macchina
axis-predicted = guadagno secondo la regola semplice
axis-model = guadagno secondo il modello
axis-measured = guadagno misurato
axis-ratio = rapporto, di / su
legend-published = pubblicato, da ÷1,25 a ×1,25
legend-equal = previsione uguale a misura
legend-more = più di 1
legend-less = meno di 1

# Due esecuzioni a confronto.
compare-title = Confronto fra due esecuzioni
compare-runs = A: { $first }    B: { $second }
compare-machines = Le macchine sono diverse: si confrontino solo rapporti e verdetti, non le cifre assolute.
compare-modes = Le modalità sono diverse: l’esecuzione con meno operazioni ha intervalli più ampi.
compare-field = { $field }: { $first } (A), { $second } (B)
compare-versions = Gli interpreti o i programmi sono diversi.
compare-findings = Verdetti
compare-throughputs = Throughput di ogni concorrente, B / A
compare-verdicts = { $count ->
    [one] Su un’affermazione presente in entrambe le esecuzioni,
   *[other] Su { $count } affermazioni presenti in entrambe le esecuzioni,
  } { $changed ->
    [0] nessun verdetto è cambiato.
    [one] un verdetto è cambiato.
   *[other] { $changed } verdetti sono cambiati.
  }
compare-only-first = solo in A: { $name }
compare-only-second = solo in B: { $name }
compare-nothing = Le due esecuzioni non hanno alcuno scenario in comune.
compare-ratio-head = B / A

# Quanto costano e che cosa attendono gli endpoint.
gauge-title = Quanto costano e che cosa attendono gli endpoint
gauge-processes = { $count ->
    [one] un processo
   *[other] { $count } processi
  }
gauge-memory = { $memory } ciascuno
requests-in-all = { $count ->
    [one] una richiesta
   *[other] { $requests } richieste
  }
gauge-traffic = { $requests } in { $time } ({ $rate }/s)
gauge-traffic-part = { $requests } contate in { $time }, e altre che non si sono potute contare
gauge-in-flight = { $mean } alla volta in un processo
gauge-server-cpu = il server stesso usa { $time } ms di CPU per richiesta
gauge-loop = gli event loop sono occupati per il { $share } del tempo
gauge-empty = Nessuna richiesta è stata contata.
gauge-read = I tempi sono medie per richiesta, in millisecondi.
gauge-read-blocking = Attesa/CPU è il coefficiente di blocco: attesa diviso calcolo.
gauge-read-calls = “ms/chiamata” è quanto dura una chiamata oltre al suo calcolo.
gauge-read-together = “Insieme” è quanto si risparmierebbe, al massimo, eseguendo insieme le chiamate di una stessa riga; nulla qui dimostra che siano indipendenti.
gauge-at-most = “≤”: a nessuna di queste richieste è stato chiesto quanto a lungo ha atteso un processore, perciò l’attesa è al massimo questa.
gauge-narrow = Omesse per mancanza di spazio: { $columns }. Un terminale più largo, `--json` e `--html` hanno tutto.
gauge-doubts = Che cosa non si è potuto stabilire
gauge-written = Registrazione scritta in { $path }
gauge-watching = { $path }, ultimi { $time }
gauge-waiting = Ancora nessuna richiesta.
gauge-ended = La registrazione è terminata.
gauge-sampling = Osservo il processo { $pid } per { $time }
calibrate-written = Costi scritti in { $path }: { $names }
column-endpoint = Endpoint
column-requests = Richieste
column-cpu-ms = CPU ms
column-wait-ms = Attesa ms
column-p99-ms = P99 ms
column-blocking = Attesa/CPU
column-waits = Attese
column-stalls = Fermi ms
column-place = Dove il loop si è fermato
column-waited-in = In attesa in
column-count = Numero
column-longest-ms = Il più lungo ms
column-cpu-share = CPU
column-resource = Risorsa
column-calls = Chiamate
column-call-wait = ms/chiamata
column-gather = Insieme: risparmio ms
column-blocking-calls = Bloccanti
plot-times = Dove va il tempo di una richiesta
plot-times-about = Ogni barra è una richiesta media. Il calcolo occupa un core; l’attesa no, ma un worker sincrono resta occupato nel frattempo. Il tempo in coda per un processore non vi compare. Vengono per primi gli endpoint che impegnano di più il servizio.
axis-times = millisecondi per richiesta
legend-computing = calcolo
legend-stalls = fermo del loop
legend-waiting = attesa

# Avanzamento di un’esecuzione.
progress-setting-up = Preparazione di { $scenario }
progress-scenario = Scenario { $number } di { $count }: { $scenario }
progress-starting = Avvio di { $contender }
progress-warming = Riscaldamento di { $contender }
progress-tuning = Messa a punto di { $contender }
progress-measuring = Misurazione di { $contender } in { $case }
progress-round = ripetizione { $number } di { $count }
progress-checking = Verifica della stabilità della macchina
progress-stopping = Arresto di { $contender }
progress-time-left = circa { $time } rimanenti
progress-skipped = { $scenario } non misurato: { $reason }
progress-failed = { $scenario } non riuscito: { $reason }
progress-finished = Terminato in { $time }
progress-interrupted = Interrotto; quanto misurato finora è conservato
progress-report-written = Resoconto scritto in { $path }
progress-not-whole = Codice di uscita 1, perché qualcosa non è potuto partire: { $parts }
progress-result-written = Risultato scritto in { $path }

# Parole della riga di comando.
label-scenarios = { $count ->
    [one] Uno scenario
   *[other] { $count } scenari
  }
label-ready = pronto
label-needs = richiede { $parts }
label-takes = dura circa { $time }
label-error = errore
label-warning = avviso
hint-detail = Per le cifre dietro a un verdetto: { $command }
hint-open = Aprire { $path } in un browser.

# Che cosa porterebbe l’asincrono.
predict-title = Che cosa porterebbe l’asincrono
predict-loop-title = Dove va il tempo del loop
predict-verdict = Verdetto: { $verdict }
predict-migrate = migrare
predict-tune = regolare ciò che c’è
predict-no-gain = nessun guadagno
predict-worse = peggio
predict-cannot-tell = non si può dire
predict-tune-short = regolare
predict-workers-wait = I worker restano occupati mentre le loro richieste attendono, { $wait } di { $wall } ms ciascuna, e nessuna impostazione migliore, entro la memoria della macchina, ne libera altrettanti.
predict-cheaper = Il limite sono i core, e l’altro stack usa { $after } ms di CPU per richiesta invece di { $before } ms.
predict-better = { $setting } portano { $rate } richieste/s con { $memory } di memoria; l’asincrono ne porterebbe { $other }, che non è di sicuro abbastanza di più.
predict-beyond = L’impostazione migliore, { $setting }, porta { $rate } richieste/s; l’asincrono ne porterebbe { $other }.
predict-unblock = Chiamate bloccanti tengono il loop per il { $share } del suo tempo attivo, soprattutto { $resource }: renderle asincrone o spostarle in un thread.
predict-loop-free = Il servizio è già asincrono, e solo il { $share } del tempo attivo del loop è bloccato.
predict-same-limit = I due lati hanno lo stesso limite: { $limit }.
predict-small = Quel che porterebbe è meno di quanto valga un cambiamento.
predict-dearer = L’altro stack usa più CPU per richiesta: { $after } ms invece di { $before } ms.
predict-new-limit = L’asincrono incontrerebbe un limite più basso di quello di oggi: { $limit }.
predict-few = È registrato troppo poco ({ $requests }): registrarne almeno altre { $more }.
predict-few-of = Sono registrate troppo poche richieste di { $endpoint }: ne servono almeno altre { $more }.
predict-failing = { $share } delle sue richieste sono fallite (stato 400 o superiore, o un’eccezione): quanto costano quando riescono non è registrato.
predict-failing-of = { $share } delle richieste di { $endpoint } sono fallite (stato 400 o superiore, o un’eccezione): quanto costano quando riescono non è registrato.
predict-wide = L’intervallo è troppo ampio; circa altre { $more } richieste lo renderebbero abbastanza stretto.
predict-unsure = Altre richieste non aiuterebbero: l’intervallo viene dai costi di { $stack } e dall’errore del modello stesso.
predict-greenlets = I greenlet (gevent, eventlet) eseguono molte richieste in un solo thread: quanto costa ciascuna non si può misurare. Registrare il servizio con i thread (`gunicorn -k gthread`).
predict-thread-pool = Le richieste sono elaborate in un pool di thread sotto l’applicazione, che il modello non comprende.
predict-no-cpu = La registrazione è stata fatta dall’esterno o da tracce e non ha tempi di CPU delle singole richieste; usare `corrente gauge run`.
predict-lock = Nessuna libreria osservata spiega il { $share } dell’attesa: se la si può attendere con await il guadagno vale; se è un lock o un’altra coda in cui stanno tutte le richieste, no.
predict-mixed = La registrazione contiene richieste WSGI e ASGI: sono due servizi; prevedere ciascuno da una registrazione propria.
predict-free-threaded = L’interprete è senza GIL, e il modello non lo descrive.
predict-failed = Il modello non ha risposta: { $detail }.
predict-limit-users = utenti simultanei
predict-limit-workers = worker, thread
predict-limit-cores = core
predict-limit-blocked = loop bloccati
predict-limit-pool = connessioni a { $resource }
predict-setting-threads = { $workers } worker × { $threads } thread
predict-setting-loops = { $loops } loop
predict-setting-flags = { $setting } (`{ $flags }`)
predict-setting-pool = { $setting }, pool { $pool }
predict-now = Ora
predict-async = Asincrono
predict-unblocked = Nulla blocca
predict-row-setting = Impostazione, { $cores } core
predict-row-rate = Richieste/s al massimo
predict-row-limit = Limite
predict-row-median = P50 ms a { $rate }/s
predict-row-tail = P99 ms a { $rate }/s
predict-overloaded = non regge
predict-row-cpu = CPU ms per richiesta
predict-row-memory = Memoria
predict-row-cost = Costo di un milione
predict-gain = Guadagno di throughput: { $gain } { $range }
predict-rule = la regola 1 + attesa/calcolo dice { $gain }
predict-gather = Se le chiamate di una riga non dipendono l’una dall’altra e si fanno insieme, il P50 scende a { $time } ms.
predict-head-gain = Guadagno
predict-head-rule = Regola
predict-reason = { $endpoint }: { $reason }
predict-assumed = Dato per scontato
predict-unexplained = Nessuna libreria osservata spiega il { $share } dell’attesa: la previsione vale se la si può attendere con await.
predict-borrowed = { $stack } non è stato misurato: i costi sono quelli di { $source }, meno sicuri.
predict-unknown-driver = { $driver } o la sua controparte non è stato misurato: una chiamata costa lo stesso sui due lati.
predict-other-machine = I costi degli stack sono di un’altra macchina ({ $processor }), adattati a questa in base alla sua velocità con Python; possono essere sbagliati di un fattore { $doubt }, quelli presi da uno stack simile di più. Come misurarli qui: `corrente gauge calibrate --help`.
predict-other-speed = I costi degli stack sono stati misurati su questo processore ({ $processor }) quando era { $times } volte altrettanto veloce con Python, e sono adattati in parte; possono essere sbagliati di un fattore { $doubt }, quelli presi da uno stack simile di più. Come misurarli qui: `corrente gauge calibrate --help`.
predict-other-python = I costi degli stack sono stati misurati su questo processore ({ $processor }) con Python { $python }, e sono adattati in base alla velocità di entrambi con Python; possono essere sbagliati di un fattore { $doubt }, quelli presi da uno stack simile di più. Come misurarli qui: `corrente gauge calibrate --help`.
predict-unknown-speed = I costi degli stack sono quelli misurati, non adattati a questa macchina: la sua velocità con Python non è nota, o non lo è quella dell’altra. Come misurarli qui: `corrente gauge calibrate --help`.
predict-lowered = Le richieste hanno preso meno CPU di quanta dovrebbe prenderne il loro stack: i costi di entrambi i lati sono abbassati a { $share } di quelli misurati.
predict-pool = Ogni loop ha { $connections } connessioni a un database (`--pool`).
predict-elastic = Si presume che { $resource } risponda a { $predicted } chiamate insieme con la rapidità delle { $recorded } registrate. Se calcola su questi stessi core, o è vicino al proprio limite, non sarà così.
predict-cores = La registrazione non dice quanti core ci sono: { $cores } (`--cores`).
predict-never-alone = Le richieste non sono quasi mai sole nel loro processo, perciò l’attesa comprende quella del lock dell’interprete: il guadagno è sovrastimato.
predict-line-unknown = La registrazione non dice quanto a lungo le richieste hanno atteso un processore: tutto il tempo senza processore conta come attesa.
predict-crowded = { $processes } processi per core sono più di quanti ne abbia avuti alcuna calibrazione: con attese così brevi, sedici hanno richiesto fino al doppio della CPU di uno.
predict-few-simulated = I valori si basano su { $requests } richieste simulate: di più richiederebbero oltre un secondo, perché ognuna calcola così a lungo o fa così tante chiamate. Sono perciò meno precisi, soprattutto il P99.
predict-loop = Una richiesta calcola per { $cpu } ms e blocca il suo loop per altri { $blocked } ms.
predict-loop-busy = Il loop è attivo per il { $share } del tempo.
predict-blocker = { $resource }: { $time } ms
predict-nameless = fuori dalle librerie osservate
predict-stack-unknown = (server e framework non noti)
predict-service = Il servizio
predict-sides = I due lati
predict-each = Ogni endpoint da solo
plot-capacity = Throughput previsto per utenti contemporanei
plot-capacity-about = Tanti utenti, ciascuno dei quali invia la richiesta successiva quando ha la risposta. Le fasce ombreggiate sono intervalli al 95%.
plot-tail = P99 previsto per frequenza
plot-tail-about = Le richieste arrivano a caso, tante al secondo; 99 su 100 sono più veloci della linea. Una linea finisce dove il suo lato non regge. Le fasce ombreggiate sono intervalli al 95%; entrambi gli assi sono logaritmici.
axis-requests = richieste al secondo
axis-tail = P99, ms
legend-rate = la frequenza della tabella, { $rate }/s
