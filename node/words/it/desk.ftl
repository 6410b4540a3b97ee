## Around every page

skip = Vai al contenuto
navigation = Navigazione principale
footer = Raccordo: scambio protetto di segnalazioni tra équipe interregionali.
today = Oggi
alerts = Segnalazioni
share = Condividi
sign-in = Accedi
sign-out = Esci
yes = sì
any = Tutti
never = mai

## Signing in

name = Nome
password = Password
password-again = Ripeti la password
password-help = Almeno 12 caratteri; una frase va benissimo.
code = Codice di sei cifre
code-help = Lo mostra l'app di autenticazione sul tuo telefono.
activate = Attiva l'accesso
activate-who = Accesso personale di { $it }.
activate-code = 1. Collega l'app di autenticazione
activate-scan = Apri un'app di autenticazione sul telefono e inquadra questo codice.
activate-picture = Codice QR per l'app di autenticazione
activate-type = Se non puoi inquadrarlo, scrivi nell'app questa chiave:
activate-password = 2. Scegli una password

## Today and équipes

equipes = Le tue équipe
equipe = Équipe
no-equipes = Questo nodo non fa ancora parte di un'équipe.
members-count = { $count ->
    [one] un nodo
   *[other] { $count } nodi
}
alarms-count = { $count ->
    [one] Un problema da far vedere all'amministratore
   *[other] { $count } problemi da far vedere all'amministratore
}
sending-open = L'invio funziona.
sending-held = L'invio è sospeso: le segnalazioni restano al sicuro qui e partiranno dopo.
waiting = In attesa di partire: { $it }.
newest = Ultime segnalazioni
all-alerts = Tutte le segnalazioni
members = Chi ne fa parte
member = Nodo
trust = Fiducia
last-heard = Ultimo contatto
silent = silenzioso
alarms = Problemi
hub-connected = Collegato allo snodo { $it }.
hub-away = Non collegato allo snodo { $it }: il nodo riprova da solo.
trust-self = questo nodo
trust-verified = verificato al telefono
trust-vouched = garantito da altri membri
trust-suspended = sospeso
trust-revoked = revocato
trust-unknown = non ancora verificato
alarm-other = Chiedi all'amministratore (codice: { $it }).
alarm-welcome-refused = Un invito a entrare nel gruppo è stato rifiutato perché non corrisponde al patto firmato.
alarm-hub-removed = Lo snodo dice che questo nodo non fa più parte dell'équipe.

## Lists of alerts

alerts-count = { $count ->
    [one] una segnalazione
   *[other] { $count } segnalazioni
}
no-alerts = Nessuna segnalazione.
when = Ricevuta
what = Che cosa
from = Da
ours = noi
state = Stato
filter = Filtra
older = Più vecchie
kind-case = Caso
kind-company = Azienda
state-active = attiva
state-withdrawn = ritirata
state-expired = scaduta
state-erased = cancellata
delivery = Consegna
delivery-queued = al sicuro qui, non ancora partita
delivery-accepted = partita, non ancora arrivata
delivery-some = arrivata a { $it }
delivery-delivered = arrivata a tutti
delivery-read = aperta da tutti

## One alert

content = Contenuto
no-content = Il contenuto non c'è più.
expires = Scade
refusals = Non leggibile
refusals-count = { $count ->
    [one] un nodo non l'ha potuta leggere
   *[other] { $count } nodi non l'hanno potuta leggere
}
withdraw = Ritira
withdraw-help = Il contenuto viene cancellato subito qui e da tutti gli altri appena si collegano.
purpose = Scopo
reason = Motivo

## Sharing

share-case = Segnala un caso
share-case-help = Una persona, solo in codici: né nome né documenti lasciano questo nodo.
share-company = Segnala un'azienda
share-company-help = Un'azienda, solo in codici: né nome né partita IVA lasciano questo nodo.
share-not-allowed = Il tuo ruolo non permette di condividere segnalazioni.
required = * campo obbligatorio
look = Controlla e vedi chi riceve
who-receives = Chi riceve
nobody-yet = Nessun altro nodo è ancora entrato: la segnalazione parte quando entra il primo.
what-leaves = Che cosa parte
send = Invia la segnalazione
change = Modifica
errors-count = { $count ->
    [one] Un campo è da correggere; non è partito nulla.
   *[other] { $count } campi sono da correggere; non è partito nulla.
}
error-missing = Questo campo è obbligatorio.
error-unknown-code = Scegli una voce dall'elenco.
error-pact-forbids = Il patto dell'équipe non permette questo dato: togli il valore, o scegline uno più generico.
error-field = Questo valore non va bene.

## Matches

matches = Corrispondenze
matches-help = Una persona o un'azienda del tuo registro che forse conosce anche un'altra regione. Nessuno vede i dati dell'altro finché non confermate entrambi.
no-matches = Nessuna corrispondenza.
found = Trovata
with = Con
more = Altre
how-sure = Quanto è sicuro
what-agrees = Che cosa coincide
match-person = Forse la stessa persona
match-company = Forse la stessa azienda
match-candidate = da valutare
match-confirmed-here = confermata da voi, in attesa dell'altra regione
match-confirmed-there = confermata dall'altra regione: tocca a voi
match-linked = collegata
match-denied-here = per voi non è la stessa
match-denied-there = per l'altra regione non è la stessa
match-unlinked-here = scollegata da voi
match-unlinked-there = scollegata dall'altra regione
match-coming = in partenza: { $it }
grade-a = Molto probabile: coincide un documento, o nome e data di nascita completi
grade-b = Probabile: coincidono più dati insieme
grade-c = Solo una domanda: coincide un dato debole
is-it-the-same = È la stessa?
confirm-help = Se confermate entrambi, ognuno vede nome, organizzazione e telefono di lavoro dell'altro: nient'altro.
confirm = Sì, è la stessa
deny = No, è un'altra
whom-to-call = Chi chiamare
organisation = Organizzazione
work-phone = Telefono di lavoro
their-answer = La sua risposta
your-answer = La tua risposta
word-call-me = Chiamami
word-not-mine = Non la seguo più io
word-already-closed = Già chiusa
unlink = Scollega
unlink-help = Se vi siete accorti che non è la stessa. Non si può più ricollegare.
record-here = Scheda nel tuo registro: { $it }
family-codice-fiscale = codice fiscale
family-provisional-codice-fiscale = codice fiscale provvisorio
family-permit = permesso di soggiorno
family-passport = passaporto
family-phone = telefono
family-name-birth = nome e data di nascita
family-name-start-birth = inizio del nome e data di nascita
family-names-place = nomi e luogo
family-name-starts-place = inizio dei nomi e luogo
family-birth-place = data di nascita e luogo
family-name-employer = nome e datore di lavoro
family-names-year = nomi e anno di nascita
family-company-number = partita IVA o codice fiscale dell'azienda
family-rea = numero REA
family-company-name-place = nome dell'azienda e comune
fault-no-such-match = Questa corrispondenza non c'è, o non è per te.
fault-no-work-phone = Manca il tuo telefono di lavoro: senza, l'altra regione non saprebbe chi chiamare.
next-no-work-phone = Chiedi all'amministratore di registrare il tuo telefono di lavoro.

## Fields

field-issued-on = Data della segnalazione
field-age-band = Fascia d'età
field-gender = Genere
field-citizenship = Cittadinanza
field-languages = Lingue
field-legal-path = Percorso legale
field-trafficking-status = Stato di vittima di tratta
field-status-decider = Chi ha valutato lo stato
field-exploitation = Forme di sfruttamento
field-recruitment = Reclutamento
field-sector = Settore
field-province = Provincia
field-comune = Comune
field-month = Mese dei fatti
field-ilo-indicators = Indicatori OIL
field-indices603bis = Indici dell'art. 603-bis
field-control-methods = Metodi di controllo
field-severity = Gravità
field-urgency = Urgenza
field-needs = Bisogni
field-minor = È coinvolto un minore
field-contact-safety = Sicurezza del contatto
field-company-refs = Aziende collegate
field-consent-ref = Consenso
field-reliability = Attendibilità
field-tags = Etichette
field-sole-trader = È una ditta individuale
field-role = Ruolo dell'azienda
field-workers-band = Numero di lavoratori
field-month-from = Dal mese
field-month-to = Al mese
field-source-class = Tipo di fonte
field-status = Esito
field-investigation-hold = Indagine in corso
field-reply-right = Diritto di replica

## Problems

problem = Non è andata a buon fine
nothing-lost = Nulla è andato perso.
next = Riprova; se succede ancora, chiama l'amministratore con il numero qui sotto.
operation = Numero dell'operazione: { $it }
back-to-today = Torna a oggi
fault-usage = I dati inviati non vanno bene.
fault-unauthenticated = Devi accedere.
fault-refused = Questo non è permesso al tuo ruolo o dal patto.
fault-not-found = Qui non c'è nulla con questo indirizzo.
fault-conflict = Non è possibile in questo momento.
fault-exhausted = Troppe richieste in poco tempo.
fault-unavailable = Il nodo non può lavorare in questo momento.
fault-ours = Si è verificato un errore del programma.
fault-no-such-page = Questa pagina non esiste.
fault-no-such-alert = Questa segnalazione non c'è, o non è per te.
fault-role-not-allowed = Il tuo ruolo non permette questa azione.
fault-forged-form = La pagina era troppo vecchia o veniva da un altro sito.
fault-wrong-sign-in = Nome, password o codice non sono giusti.
fault-account-closed = Troppi tentativi sbagliati: aspetta qualche minuto.
fault-bad-link = Questo collegamento non vale, o non vale più.
fault-wrong-code = Il codice non è quello che l'app mostra adesso.
fault-password-short = La password deve avere almeno 12 caratteri.
fault-password-long = La password è troppo lunga.
fault-password-repeated = La password ha troppo pochi caratteri diversi.
fault-password-is-name = La password non può essere il tuo nome.
fault-password-differs = Le due password non sono uguali.
fault-already-ended = Questa segnalazione è già finita.
fault-equipe-closed = Nell'équipe non c'è nessun altro in questo momento.
next-no-such-page = Torna a oggi.
next-role-not-allowed = Se serve al tuo lavoro, chiedi all'amministratore.
next-forged-form = Apri di nuovo la pagina e ripeti da lì.
next-bad-link = Chiedi all'amministratore un nuovo collegamento.
