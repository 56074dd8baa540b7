# Français : les textes des rapports, des comparaisons, de la progression et de la ligne de commande.
# Un message par ligne ; les identifiants et les arguments sont énumérés dans message.rs.

# Le rapport dans son ensemble.
report-title = Python synchrone et asynchrone : les affirmations publiées, mesurées ici
report-lead = { $findings ->
    [one] { $findings } affirmation tirée
   *[other] { $findings } affirmations tirées
  } de { $scenarios ->
    [one] { $scenarios } scénario
   *[other] { $scenarios } scénarios
  }, chacune en regard de sa propre mesure sur cette machine.
report-footer = Produit par Corrente { $version } à partir d’un document { $schema }. Cette page ne charge rien depuis le réseau.
report-running = L’exécution n’était pas terminée lorsque ce rapport a été écrit.
report-empty = L’exécution ne contient aucun scénario.
note-smoke = Exécution d’essai : elle montre que chaque partie fonctionne. Ses chiffres ne prouvent rien.
note-quick = Exécution rapide : moins d’opérations et de répétitions que dans la publication. Les intervalles sont plus larges.
note-invalid = Marqué d’un « ! » : à ne pas prendre pour un résultat.
note-absolute = Les chiffres absolus ne valent que pour cette machine ; les conclusions reposent sur les rapports.

# Titres.
heading-summary = Verdicts
heading-conditions = Conditions
heading-reading = Comment lire ce rapport
heading-findings = Affirmations et verdicts
heading-remarks = Remarques
heading-differences = Ce qui diffère de l’original
heading-contenders = Concurrents
heading-measurements = Toutes les mesures
heading-plots = Autres graphiques
heading-sweep = Ce que le réglage a essayé
heading-factors = La contribution de chaque changement
heading-source = Source

# Têtes de colonne et noms de champ.
column-scenario = Scénario
column-claim = Affirmation
column-case = Cas
column-published = Publié
column-measured = Mesuré
column-naive = Règle naïve
column-verdict = Verdict
column-contender = Concurrent
column-side = Côté
column-server = Serveur
column-framework = Framework
column-driver = Pilote
column-concurrency = Concurrence
column-settings = Réglages
column-rate = Op/s
column-maximum = Max
column-errors = Erreurs
column-cpu = CPU-s/1000
column-memory = PSS maximal
column-cost = { $currency }/million
column-note = Note
column-factor = Changement
column-step = De → à
column-ratio = Rapport
column-share = Part
column-latency = Latence, ms

# Conditions d’une exécution.
field-processor = Processeur
field-cores = { $cores ->
    [one] { $cores } processeur logique
   *[other] { $cores } processeurs logiques
  }
field-virtual = machine virtuelle
field-memory = Mémoire
field-kernel = Noyau
field-python = Python
field-postgres = PostgreSQL
field-mode = Mode
field-seed = Graine aléatoire
field-rounds = Répétitions
field-started = Début
field-finished = Fin
field-prices = Prix
field-prices-text = { $vcpu } { $currency } par vCPU et par heure, { $gib } { $currency } par Gio et par heure ; à la requête : { $requests } { $currency } par million de requêtes, { $second } { $currency } par Gio et par seconde
field-price-source = Origine des prix
field-versions = Versions
field-placement = Processeurs
field-placement-text = application sur { $application } ; générateur, origine et base de données sur { $others }
field-speed = Vitesse
field-speed-text = de { $low } à { $high } tours de travail Python par milliseconde ; au cours d’une mesure elle a changé de { $moved } au plus
field-not-pinned = non assignés
field-elapsed = Durée

# Modes.
mode-smoke = essai
mode-quick = rapide
mode-full = complet

# Verdicts et issues.
verdict-confirmed = confirmé
verdict-refuted = réfuté
verdict-inconclusive = non concluant
verdict-invalid = non valide
verdict-not-measured = non mesuré
outcome-not-measured = Non mesuré : { $reason }
outcome-failed = Échec en cours d’exécution : { $reason }
contender-missing = absent : { $reason }

# Pourquoi une mesure n’est pas un résultat.
invalid-generator = générateur de charge saturé
invalid-others = origine ou base de données saturée
invalid-noisy = répétitions trop différentes
invalid-stolen = temps de processeur pris par l’hyperviseur
invalid-foreign = processeur pris par d’autres programmes
invalid-of = { $count } mesures sur { $all } non valides : { $reasons }

# Côtés, grandeurs, facteurs.
side-sync = synchrone
side-async = asynchrone
side-reference = référence
measure-throughput = débit
measure-p50 = latence P50
measure-p99 = latence P99
measure-open-p50 = P50 à cadence égale
measure-open-p99 = P99 à cadence égale
measure-errors = part d’erreurs
measure-cpu = temps CPU par opération
measure-memory = pic de mémoire
measure-cost = coût par opération
measure-idle = temps d’inactivité CPU
measure-time = temps écoulé
measure-unit-memory = mémoire par tâche
measure-start = temps de démarrage par tâche
measure-switch = temps de commutation
factor-server = serveur
factor-framework = framework
factor-driver = pilote ou client
factor-concurrency = boucle d’événements au lieu de processus ou de threads
factor-gather = appels simultanés
factor-loop = implémentation de la boucle d’événements
factor-tuning = nombre de workers et de threads
factor-total = ensemble

# Affirmations.
claim-tuned = côté synchrone réglé
claim-higher = plus élevé
claim-lower = plus bas
labelled = { $label } : { $value }
joined = { $first }, { $second }
at-rate = à { $rate }/s
cases-in-all = { $count } cas
users-in-all = { $count ->
    [one] { $count } utilisateur
   *[other] { $count } utilisateurs
  }
model-says = modèle { $gain }
shipped-says = fournis { $gain }
sweep-best = meilleur
sweep-failed = échec
sweep-of = { $contender }, réglé sur { $case }

# Comment lire un rapport.
read-ratio = Chaque affirmation est un rapport entre deux concurrents, « de / sur », mesuré dans le même cas sur la même machine. Les crochets contiennent son intervalle à 95 %. Au-dessus de 1 signifie davantage : mieux pour le débit, moins bien pour la latence, la mémoire et le coût.
read-verdict = Une affirmation est confirmée si l’intervalle entier se trouve entre le rapport publié divisé par 1,25 et le même multiplié par 1,25 ; elle est réfutée si l’intervalle entier se trouve en dehors. Si seule une borne (≥ ou ≤) a été publiée, la même marge s’y applique. Une affirmation portant sur plusieurs cas n’est confirmée ou réfutée que si tous les cas concordent.
read-direction = Si seul un sens a été publié, l’intervalle entier doit se trouver au moins 5 % du côté affirmé.
read-inconclusive = Tout le reste est non concluant : la mesure ne tranche pas.
read-invalid = Une mesure n’est pas valide si le générateur de charge, l’origine ou la base de données n’avaient plus de marge alors que le concurrent en avait encore (celui qui remplit ses propres processeurs est la limite, si occupés que soient les autres), si les répétitions d’un concurrent diffèrent plus que le test de bruit ne l’admet, ou si l’hyperviseur ou d’autres programmes de la machine ont pris du temps de processeur. Elle ne soutient alors aucun verdict. Que la vitesse même du processeur change n’est pas en soi une raison : les concurrents alternent, et les intervalles s’en trouvent élargis. Si elle change au point que les répétitions d’un concurrent diffèrent plus que le test de bruit ne l’admet, elles ne sont pas valides pour cela.
read-naive = La règle naïve dit : gain = 1 + T_io / T_cpu, soit le temps d’attente d’une requête divisé par son temps de processeur, relevés du côté synchrone avec un seul utilisateur avant la mesure. Elle figure à côté du gain mesuré ensuite.
read-model = Là où une ligne commence par « modèle », le modèle de Corrente a prédit le gain avant les mesures jugées : à partir d’un seul utilisateur du côté synchrone et du coût des piles pour d’autres requêtes, qu’aucune affirmation ne concerne. Les crochets contiennent son intervalle à 95 %.
read-shipped = Là où une ligne commence par « fournis », le modèle a prédit la même chose sans rien du côté asynchrone : à partir du seul côté synchrone et des coûts des piles fournis avec Corrente, ramenés à cette machine par la racine carrée du rapport des deux vitesses.
read-tuned = Les comparaisons publiées opposent souvent un côté asynchrone réglé à un côté synchrone qui ne l’est pas. Là où figure « côté synchrone réglé », le nombre de workers et de threads a d’abord été cherché pour le meilleur débit.
read-latency = En boucle fermée, la latence comprend la file que les utilisateurs forment eux-mêmes. À cadence égale, chaque concurrent reçoit la même charge en boucle ouverte et le temps compte à partir de l’instant d’envoi prévu. Un percentile n’est donné que si au moins dix échantillons le dépassent.
read-factors = Une migration change plusieurs choses à la fois. Là où elle a été décomposée, chaque étape n’en change qu’une ; les parts sont celles du logarithme du gain total et leur somme vaut 100 %.
read-cost = Le coût est celui d’un million d’opérations aux prix ci-dessus, sur une capacité achetée à l’heure et pleinement utilisée.
read-absolute = Les opérations par seconde, les millisecondes et les octets sont ceux de cette machine, qui porte aussi le générateur, l’origine et la base de données. Ils ne se comparent pas à des chiffres obtenus ailleurs ; ce sont les rapports qui se comparent.

# Graphiques : titres, descriptions, axes, légendes.
plot-latency = Latence par percentile : { $case }
plot-latency-open = Latence par percentile à { $rate }/s pour tous : { $case }
plot-latency-about = Chaque pas vers la droite sur l’axe des percentiles laisse au-delà un dixième des requêtes ; les millisecondes croissent par puissances de dix. Plus bas est mieux.
plot-users = Débit selon le nombre d’utilisateurs { $parameters }
plot-users-about = Opérations par seconde selon les utilisateurs simultanés, une ligne par concurrent ; les barres couvrent les répétitions.
plot-prediction = Ce que la règle naïve prévoyait et ce qui a été mesuré
plot-prediction-about = Chaque point est une affirmation dans un cas. Sur la ligne pointillée, la prévision était juste ; en dessous, la règle promettait trop.
plot-model = Ce que le modèle a prédit avant l’exécution, et ce qui a été mesuré
plot-model-about = Chaque point est une affirmation dans un cas. Sur la ligne tiretée, la prédiction était juste ; en dessous, le modèle promettait trop.
plot-forest = Rapport publié et intervalle mesuré
plot-forest-about = Pour chaque affirmation, la bande ombrée est ce qui vaut confirmation ; les marques avec leurs traits sont les rapports mesurés et leurs intervalles à 95 %. La forme de la marque est le verdict.
plot-factors = La contribution de chaque changement : { $case }
plot-factors-about = Chaque barre va du gain avant un changement au gain après celui-ci, sur une échelle logarithmique.
plot-region = Où cela se vérifie : { $claim }
plot-region-about = Rapport mesuré pour chaque couple de paramètres ; la marque est le verdict à cet endroit.
axis-percentile = percentile des requêtes
axis-latency = latence, ms
axis-users = utilisateurs simultanés
axis-throughput = opérations par seconde, cette machine
axis-predicted = gain selon la règle naïve
axis-model = gain selon le modèle
axis-measured = gain mesuré
axis-ratio = rapport, de / sur
legend-published = publié, de ÷1,25 à ×1,25
legend-equal = prévision égale à la mesure
legend-more = plus de 1
legend-less = moins de 1

# Deux exécutions côte à côte.
compare-title = Comparaison de deux exécutions
compare-runs = A : { $first }    B : { $second }
compare-machines = Les machines diffèrent : ne comparer que les rapports et les verdicts, pas les chiffres absolus.
compare-modes = Les modes diffèrent : l’exécution qui compte moins d’opérations a des intervalles plus larges.
compare-field = { $field } : { $first } (A), { $second } (B)
compare-versions = Les interpréteurs ou les programmes diffèrent.
compare-findings = Verdicts
compare-throughputs = Débit de chaque concurrent, B / A
compare-verdicts = { $count ->
    [one] Sur { $count } affirmation présente dans les deux exécutions,
   *[other] Sur { $count } affirmations présentes dans les deux exécutions,
  } { $changed ->
    [0] aucun verdict n’a changé.
    [one] un verdict a changé.
   *[other] { $changed } verdicts ont changé.
  }
compare-only-first = seulement dans A : { $name }
compare-only-second = seulement dans B : { $name }
compare-nothing = Les deux exécutions n’ont aucun scénario en commun.
compare-ratio-head = B / A

# Ce que les points d’accès coûtent et attendent.
gauge-title = Ce que les points d’accès coûtent et attendent
gauge-processes = { $count ->
    [one] { $count } processus
   *[other] { $count } processus
  }
gauge-memory = { $memory } chacun
requests-in-all = { $count ->
    [one] { $requests } requête
   *[other] { $requests } requêtes
  }
gauge-traffic = { $requests } en { $time } ({ $rate }/s)
gauge-traffic-part = { $requests } comptées en { $time }, et d’autres qui n’ont pas pu être comptées
gauge-in-flight = { $mean } à la fois dans un processus
gauge-server-cpu = le serveur lui-même prend { $time } ms de CPU par requête
gauge-loop = les boucles d’événements sont occupées { $share } du temps
gauge-empty = Aucune requête n’a été comptée.
gauge-read = Les temps sont des moyennes par requête, en millisecondes.
gauge-read-blocking = Attente/CPU est le coefficient de blocage : attente sur calcul.
gauge-read-calls = « ms/appel » est ce que dure un appel en dehors de son calcul.
gauge-read-together = « Ensemble » est ce que l’on gagnerait, au plus, à faire ensemble les appels d’une même ligne ; rien ici ne prouve qu’ils sont indépendants.
gauge-at-most = « ≤ » : à aucune de ces requêtes il n’a été demandé combien de temps elle a attendu un processeur ; l’attente ne peut donc pas dépasser cette valeur.
gauge-narrow = Omis faute de place : { $columns }. Un terminal plus large, `--json` et `--html` montrent tout.
gauge-doubts = Ce qui n’a pas pu être établi
gauge-written = Enregistrement écrit dans { $path }
gauge-watching = { $path }, dernières { $time }
gauge-waiting = Aucune requête pour l’instant.
gauge-ended = L’enregistrement est terminé.
gauge-sampling = Observation du processus { $pid } pendant { $time }
calibrate-written = Coûts écrits dans { $path } : { $names }
column-endpoint = Point d’accès
column-requests = Requêtes
column-cpu-ms = CPU ms
column-wait-ms = Attente ms
column-p99-ms = P99 ms
column-blocking = Attente/CPU
column-waits = Attentes
column-stalls = Arrêts ms
column-place = Où la boucle s’est arrêtée
column-waited-in = Attendait dans
column-count = Nombre
column-longest-ms = Le plus long ms
column-cpu-share = CPU
column-resource = Ressource
column-calls = Appels
column-call-wait = ms/appel
column-gather = Ensemble : gain ms
column-blocking-calls = Bloquants
plot-times = Où passe le temps d’une requête
plot-times-about = Chaque barre est une requête moyenne. Le calcul occupe un cœur ; l’attente n’en occupe aucun, mais un worker synchrone reste pris pendant ce temps. Le temps passé à attendre un processeur n’y est pas. Les points d’accès qui occupent le plus le service viennent en premier.
axis-times = millisecondes par requête
legend-computing = calcul
legend-stalls = boucle arrêtée
legend-waiting = attente

# Progression d’une exécution.
progress-setting-up = Préparation de { $scenario }
progress-scenario = Scénario { $number } sur { $count } : { $scenario }
progress-starting = Démarrage de { $contender }
progress-warming = Mise en température de { $contender }
progress-tuning = Réglage de { $contender }
progress-measuring = Mesure de { $contender } dans { $case }
progress-round = répétition { $number } sur { $count }
progress-checking = Vérification de la stabilité de la machine
progress-stopping = Arrêt de { $contender }
progress-time-left = encore { $time } environ
progress-skipped = { $scenario } non mesuré : { $reason }
progress-failed = { $scenario } en échec : { $reason }
progress-finished = Terminé en { $time }
progress-interrupted = Interrompu ; ce qui a été mesuré jusqu’ici est conservé
progress-report-written = Rapport écrit dans { $path }
progress-not-whole = Code de sortie 1, car tout n’a pas pu tourner : { $parts }
progress-result-written = Résultat écrit dans { $path }

# Mots de la ligne de commande.
label-scenarios = { $count ->
    [one] { $count } scénario
   *[other] { $count } scénarios
  }
label-ready = prêt
label-needs = nécessite { $parts }
label-takes = dure environ { $time }
label-error = erreur
label-warning = avertissement
hint-detail = Pour les chiffres derrière un verdict : { $command }
hint-open = Ouvrir { $path } dans un navigateur.

# Ce qu’apporterait l’asynchrone.
predict-title = Ce qu’apporterait l’asynchrone
predict-loop-title = Où passe le temps de la boucle
predict-verdict = Verdict : { $verdict }
predict-migrate = migrer
predict-tune = régler l’existant
predict-no-gain = aucun gain
predict-worse = pire
predict-cannot-tell = impossible à dire
predict-tune-short = régler
predict-workers-wait = Les workers restent pris pendant que leurs requêtes attendent, { $wait } sur { $wall } ms chacune, et aucun meilleur réglage, dans la mémoire de la machine, n’en libère autant.
predict-cheaper = Les cœurs sont la limite, et l’autre pile demande { $after } ms de CPU par requête au lieu de { $before } ms.
predict-better = { $setting } apportent { $rate } requêtes/s avec { $memory } de mémoire ; l’asynchrone en apporterait { $other }, ce qui n’est pas sûrement assez de plus.
predict-beyond = Le meilleur réglage, { $setting }, apporte { $rate } requêtes/s ; l’asynchrone en apporterait { $other }.
predict-unblock = Des appels bloquants tiennent la boucle pendant { $share } de son temps actif, surtout { $resource } : les attendre avec await, ou les déplacer dans un thread.
predict-loop-free = Le service est déjà asynchrone, et seulement { $share } du temps actif de sa boucle est bloqué.
predict-same-limit = Les deux côtés ont la même limite : { $limit }.
predict-small = Ce que cela apporterait est moins que ce que vaut un changement.
predict-dearer = L’autre pile demande plus de CPU par requête : { $after } ms au lieu de { $before } ms.
predict-new-limit = L’asynchrone rencontrerait une limite plus basse que celle d’aujourd’hui : { $limit }.
predict-few = Trop peu est enregistré ({ $requests }) : en enregistrer au moins { $more } de plus.
predict-few-of = Trop peu de requêtes de { $endpoint } sont enregistrées : il en faut au moins { $more } de plus.
predict-failing = { $share } de ses requêtes ont échoué (statut 400 ou plus, ou exception) : ce qu’elles coûtent quand elles réussissent n’est pas enregistré.
predict-failing-of = { $share } des requêtes de { $endpoint } ont échoué (statut 400 ou plus, ou exception) : ce qu’elles coûtent quand elles réussissent n’est pas enregistré.
predict-wide = L’intervalle est trop large ; environ { $more } requêtes de plus le rendraient assez étroit.
predict-unsure = Plus de requêtes n’y changeraient rien : l’intervalle vient des coûts de { $stack } et de l’erreur propre du modèle.
predict-greenlets = Les greenlets (gevent, eventlet) exécutent plusieurs requêtes dans un seul thread : le coût de chacune ne peut pas être mesuré. Enregistrer le service avec des threads (`gunicorn -k gthread`).
predict-thread-pool = Les requêtes sont traitées dans un pool de threads sous l’application, que le modèle ne contient pas.
predict-no-cpu = L’enregistrement a été fait de l’extérieur ou à partir de traces et n’a pas de temps CPU par requête ; utiliser `corrente gauge run`.
predict-lock = Aucune bibliothèque observée n’explique { $share } de l’attente : si elle peut être attendue avec await, le gain vaut ; si c’est un verrou ou une autre file où toutes les requêtes attendent, il ne vaut pas.
predict-mixed = L’enregistrement contient des requêtes WSGI et ASGI : ce sont deux services ; prédire chacun à partir de son propre enregistrement.
predict-free-threaded = L’interpréteur est sans GIL, ce que le modèle ne décrit pas.
predict-failed = Le modèle n’a pas de réponse : { $detail }.
predict-limit-users = utilisateurs simultanés
predict-limit-workers = workers, threads
predict-limit-cores = cœurs
predict-limit-blocked = boucles bloquées
predict-limit-pool = connexions à { $resource }
predict-setting-threads = { $workers ->
    [one] { $workers } worker
   *[other] { $workers } workers
  } × { $threads ->
    [one] { $threads } thread
   *[other] { $threads } threads
  }
predict-setting-loops = { $loops ->
    [one] une boucle
   *[other] { $loops } boucles
  }
predict-setting-flags = { $setting } (`{ $flags }`)
predict-setting-pool = { $setting }, pool { $pool }
predict-now = Maintenant
predict-async = Asynchrone
predict-unblocked = Rien ne bloque
predict-row-setting = Réglage, { $cores } cœurs
predict-row-rate = Requêtes/s au plus
predict-row-limit = Limité par
predict-row-median = P50 ms à { $rate }/s
predict-row-tail = P99 ms à { $rate }/s
predict-overloaded = ne suit pas
predict-row-cpu = CPU ms par requête
predict-row-memory = Mémoire
predict-row-cost = Coût d’un million
predict-gain = Gain de débit : { $gain } { $range }
predict-rule = la règle 1 + attente/calcul dit { $gain }
predict-gather = Si les appels d’une ligne ne dépendent pas les uns des autres et sont faits ensemble, le P50 descend à { $time } ms.
predict-head-gain = Gain
predict-head-rule = Règle
predict-reason = { $endpoint } : { $reason }
predict-assumed = Tenu pour acquis
predict-unexplained = Aucune bibliothèque observée n’explique { $share } de l’attente : la prédiction vaut si elle peut être attendue avec await.
predict-borrowed = { $stack } n’a pas été mesuré : ses coûts sont ceux de { $source }, moins sûrs.
predict-unknown-driver = { $driver } ou son équivalent n’a pas été mesuré : un appel est supposé coûter autant des deux côtés.
predict-other-machine = Les coûts des piles sont ceux d’une autre machine ({ $processor }), ramenés à celle-ci d’après sa vitesse en Python ; ils peuvent être faux d’un facteur { $doubt }, et davantage s’ils sont empruntés. Pour les mesurer ici : `corrente gauge calibrate --help`.
predict-other-speed = Les coûts des piles ont été mesurés sur ce processeur ({ $processor }) quand il était { $times } fois aussi rapide en Python, et sont ajustés en partie ; ils peuvent être faux d’un facteur { $doubt }, et davantage s’ils sont empruntés. Pour les mesurer ici : `corrente gauge calibrate --help`.
predict-other-python = Les coûts des piles ont été mesurés sur ce processeur ({ $processor }) avec Python { $python }, et sont ajustés d’après la vitesse des deux en Python ; ils peuvent être faux d’un facteur { $doubt }, et davantage s’ils sont empruntés. Pour les mesurer ici : `corrente gauge calibrate --help`.
predict-unknown-speed = Les coûts des piles sont ceux qui ont été mesurés, sans être ramenés à cette machine : sa vitesse en Python n’est pas connue, ou celle de l’autre. Pour les mesurer ici : `corrente gauge calibrate --help`.
predict-lowered = Les requêtes ont pris moins de CPU que leur pile ne devrait : les coûts des deux côtés sont abaissés à { $share } des coûts mesurés.
predict-pool = Chaque boucle a { $connections } connexions à une base de données (`--pool`).
predict-elastic = { $resource } est supposé répondre à { $predicted } appels à la fois aussi vite qu’aux { $recorded } enregistrés. S’il calcule sur ces mêmes cœurs, ou s’il est près de sa propre limite, ce ne sera pas le cas.
predict-cores = L’enregistrement ne dit pas combien de cœurs il y a : { $cores } (`--cores`).
predict-never-alone = Les requêtes n’étaient presque jamais seules dans leur processus, donc leur attente contient celle du verrou de l’interpréteur : le gain est surestimé.
predict-line-unknown = L’enregistrement ne dit pas combien de temps les requêtes ont attendu un processeur : tout le temps sans processeur compte comme attente.
predict-crowded = { $processes } processus par cœur, c’est plus qu’aucune calibration n’en avait : avec des attentes si brèves, seize ont été mesurés à jusqu’à deux fois le CPU d’un seul.
predict-few-simulated = Les chiffres reposent sur { $requests } requêtes simulées : davantage prendrait plus d’une seconde, car chacune calcule si longtemps ou fait tant d’appels. Ils en sont moins précis, surtout le P99.
predict-loop = Une requête calcule pendant { $cpu } ms et bloque sa boucle pendant { $blocked } ms de plus.
predict-loop-busy = La boucle est active { $share } du temps.
predict-blocker = { $resource } : { $time } ms
predict-nameless = hors des bibliothèques observées
predict-stack-unknown = (serveur et framework inconnus)
predict-service = Le service
predict-sides = Les deux côtés
predict-each = Chaque point d’accès seul
plot-capacity = Débit prévu selon les utilisateurs simultanés
plot-capacity-about = Tant d’utilisateurs, dont chacun envoie la requête suivante dès qu’il a la réponse. Les bandes ombrées sont des intervalles à 95 %.
plot-tail = P99 prévu selon la cadence
plot-tail-about = Les requêtes arrivent au hasard, tant par seconde ; 99 sur 100 sont plus rapides que la ligne. Une ligne s’arrête là où son côté ne suit plus. Les bandes ombrées sont des intervalles à 95 % ; les deux axes sont logarithmiques.
axis-requests = requêtes par seconde
axis-tail = P99, ms
legend-rate = la cadence du tableau, { $rate }/s
