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
any = Qualsiasi
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
activate-provider = Usa l'identità della Regione
activate-provider-help = Puoi legare questo accesso alla tua identità della Regione: poi entri solo con quella.
activate-here = Oppure scegli una password e collega un'app di autenticazione.
sign-in-provider = Accedi con l'identità della Regione
sign-in-here = Oppure con nome e password
signed-in = Accesso riuscito
go-on = Continua

## Notices

notices = I tuoi avvisi
notices-help = Raccordo può scriverti per e-mail che c'è qualcosa di nuovo: senza dire che cosa, né da chi, e non mentre sei qui.
notices-not-served = Questo nodo non manda e-mail: chiedi all'amministratore.
notices-address = Il tuo indirizzo e-mail di lavoro
notices-empty = Lascia vuoto per non ricevere avvisi.
save = Salva
fault-bad-address = Questo non è un indirizzo e-mail.

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

## What the day brings

new = Di nuovo
new-mark = nuova
new-since = Da quando hai guardato l'ultima volta, { $it }
new-first = Qui trovi quello che arriva tra una visita e l'altra.
new-nothing = Nulla di nuovo.
new-alerts = { $count ->
    [one] Una nuova segnalazione
   *[other] { $count } nuove segnalazioni
}
new-alerts-more = { $count ->
    [one] Più di una nuova segnalazione
   *[other] Più di { $count } nuove segnalazioni
}
new-matches = { $count ->
    [one] Una nuova corrispondenza
   *[other] { $count } nuove corrispondenze
}
waits = Aspetta te
waits-nothing = Nulla ti aspetta.
waits-undecided = { $count ->
    [one] Una corrispondenza da confermare o no
   *[other] { $count } corrispondenze da confermare o no
}
waits-unanswered = { $count ->
    [one] Una corrispondenza collegata senza la tua risposta
   *[other] { $count } corrispondenze collegate senza la tua risposta
}
waits-draft-case = La bozza di un caso
waits-draft-company = La bozza di un'azienda
waits-draft-kept = Salvata il { $it }: non è ancora partita.
late = In ritardo
late-nothing = Nulla è in ritardo.
late-queued = { $count ->
    [one] Una segnalazione non è ancora partita da più di un giorno
   *[other] { $count } segnalazioni non sono ancora partite da più di un giorno
}
late-queued-more = { $count ->
    [one] Almeno una segnalazione non è ancora partita da più di un giorno
   *[other] Almeno { $count } segnalazioni non sono ancora partite da più di un giorno
}
late-missing = { $count ->
    [one] Una segnalazione non è arrivata a tutti dopo più di un giorno
   *[other] { $count } segnalazioni non sono arrivate a tutti dopo più di un giorno
}
late-missing-more = { $count ->
    [one] Almeno una segnalazione non è arrivata a tutti dopo più di un giorno
   *[other] Almeno { $count } segnalazioni non sono arrivate a tutti dopo più di un giorno
}
late-refused = { $count ->
    [one] Una segnalazione non si è potuta leggere
   *[other] { $count } segnalazioni non si sono potute leggere
}
late-refused-more = { $count ->
    [one] Almeno una segnalazione non si è potuta leggere
   *[other] Almeno { $count } segnalazioni non si sono potute leggere
}
late-held = L'invio verso { $it } è sospeso. Qui non si perde nulla: partiranno dopo. Avvisa l'amministratore.
late-hub = Lo snodo { $it } non risponde. Qui non si perde nulla: il nodo riprova da solo.
late-sending = Stanno partendo adesso.
late-silent = Manca { $it }, che non si fa sentire. Le riceverà appena si collega.
late-slow = Manca { $it }, che non ha ancora confermato.
late-unread = Il nodo { $it } non le ha potute leggere: chiedi all'amministratore.
late-others = { $count ->
    [one] e un'altra
   *[other] e altre { $count }
}
member-silent = Il nodo { $it } non si fa sentire dal { $of }
member-silent-why = Quello che condividi lo aspetta, e non va perso.
expires-own = La tessera di questo nodo scade il { $it }
expires-own-now = La tessera di questo nodo è scaduta, o scade oggi: { $it }
expires-own-why = Avvisa l'amministratore: rinnovarla prima non costa nulla, dopo servono telefonate.
expires-peer = La tessera di { $it } scade il { $of }
expires-peer-why = La rinnova il suo amministratore.
expires-pact = Il patto dell'équipe { $it } scade il { $of }
expires-pact-now = Il patto dell'équipe { $it } è scaduto, o scade oggi: { $of }
expires-pact-why = Dopo non si condivide più nulla: va rinnovato insieme.
no-alerts-yet = Ancora nessuna segnalazione: quelle che condividi, e quelle degli altri, compaiono qui.
no-alerts-here = Nessuna segnalazione tra queste: ce ne sono di più vecchie.
matches-all = Tutte
matches-undecided = Da decidere
matches-unanswered = Senza risposta
no-matches-waiting = Nessuna corrispondenza ti aspetta.

## Lists of alerts

alerts-count = { $count ->
    [one] una segnalazione
   *[other] { $count } segnalazioni
}
no-alerts = Nessuna segnalazione.
when = Quando
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
not-seen-here = Lo dice { $it }: qui non si vede.
only-told = lo dice l'altra regione
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
grade-a = Molto probabile: coincide un documento, o più di quanto accada quasi a chiunque altro
grade-b = Probabile: coincide più di quanto accada per caso
grade-c = Solo una domanda: può essere un caso
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
family-names-year = nomi e anno di nascita
family-passport-number = numero di passaporto, senza il Paese
family-phone-name = telefono e nome
family-names-day = nomi, giorno e mese di nascita
family-initials-birth = iniziali e data di nascita
family-names-years-group = nomi, cittadinanza e all'incirca l'anno di nascita
family-company-name = nome dell'azienda
family-company-words-place = parole del nome dell'azienda e comune
reason-identifier = lo stesso documento o codice
reason-phone = lo stesso telefono
reason-number = lo stesso numero di passaporto
reason-name = nomi che suonano o iniziano uguale
reason-year = lo stesso anno di nascita, o uno vicino
reason-day = lo stesso giorno e mese di nascita
reason-group = la stessa cittadinanza
reason-place = lo stesso comune
rarity-one-of-a-thousand = { $it }: lo ha meno di uno su mille altri
rarity-one-of-a-hundred = { $it }: lo ha circa uno su cento altri
rarity-one-of-ten = { $it }: lo hanno alcuni altri
rarity-many = { $it }: lo hanno molti altri
family-company-number = partita IVA o codice fiscale dell'azienda
family-rea = numero REA
family-company-name-place = nome dell'azienda e comune
fault-no-such-match = Questa corrispondenza non c'è, o non è per te.
fault-no-work-phone = Manca il tuo telefono di lavoro: senza, l'altra regione non saprebbe chi chiamare.
next-no-work-phone = Chiedi all'amministratore di registrare il tuo telefono di lavoro.

## Register

register = Registro
register-help = Il registro resta su questo nodo. Le liste non mostrano nomi: per vedere chi è, apri la scheda e scegli lo scopo.
people = Persone
companies = Aziende
record = Scheda
record-active = attiva
record-erased = cancellata
no-records = Nessuna scheda.
case-named = Caso { $it }
company-named = Azienda { $it }
sole-trader-named = Ditta individuale { $it }
manager = Chi segue il caso
since = Dal
changed-at = Ultima modifica
find = Cerca
find-person = Cerca una persona
find-company = Cerca un'azienda
find-again = Cerca ancora
find-help = Scrivi quello che sai: basta un dato, ma intero; del nome, cognome e nome come nella scheda. La ricerca viene registrata con il suo scopo.
found-count = { $count ->
    [0] Nessuna scheda trovata
    [one] Una scheda trovata
   *[other] { $count } schede trovate
}
agrees = Coincide: { $it }
why = Perché ti serve
why-help = Lo scopo viene registrato insieme al tuo nome.
show-identity = Mostra chi è
read-for = Lettura registrata. Scopo: { $it }.
who-it-is = Chi è
which-company = Quale azienda
add = Aggiungi
add-person = Aggiungi una persona
add-company = Aggiungi un'azienda
add-help = Basta un dato che identifica. Nulla di quanto scrivi qui lascia questo nodo.
add-errors-count = { $count ->
    [one] Un campo è da correggere; non è stato salvato nulla.
   *[other] { $count } campi sono da correggere; non è stato salvato nulla.
}
more-rows = Altre righe
the-case = Il caso
manager-help = Il nome di un operatore della tua organizzazione; vuoto: tu.
new-manager = Affida a
new-manager-help = Il nome di un operatore della stessa organizzazione; vuoto: resta chi lo segue ora.
codes-of-record = Dati in codici
codes-help = Facoltativi: servono a preparare la segnalazione e a capire quante persone si somigliano.
sole-trader-help = È una ditta individuale (vale come una persona)
share-record = Prepara la segnalazione
share-record-help = Partono solo codici. Chi la riceve non vede questa scheda, ma una corrispondenza può ricondurre a lei.
about-record = Riguarda la scheda { $it } del tuo registro: nessun altro lo vede.
change-case = Aggiorna il caso
save-case = Salva
another-case = Apri un altro caso della stessa persona
erase = Cancella
erase-person-help = La persona, i suoi dati e tutti i suoi casi vengono distrutti su questo nodo. Non si torna indietro, e lo stesso numero di pratica non potrà rientrare.
erase-company-help = L'azienda e i suoi dati vengono distrutti su questo nodo. Non si torna indietro.
erase-alerts-help = Le segnalazioni già condivise restano agli altri finché non vengono ritirate: ritirale prima, se serve.
erase-sure = Ho capito: cancella per sempre.
erased-help = I dati di questa scheda sono stati distrutti.
back = Torna indietro
note-added = Scheda aggiunta.
note-known = C'era già, con lo stesso numero di pratica: non è stato aggiunto nulla.
note-changed = Caso aggiornato.
record-reference = Numero di pratica
record-name = Nome
record-birth-date = Data di nascita
record-fiscal-code = Codice fiscale
record-document = Documento
record-phone = Telefono
record-address = Indirizzo
record-employer = Datore di lavoro
record-company-name = Ragione sociale
record-vat-number = Partita IVA
record-rea-number = Numero REA
part-family = Cognome
part-given = Nome
part-kind = Tipo
part-number = Numero
part-country = Paese
part-street = Via e numero
part-comune = Comune
hint-birth-date = Per esempio 31/12/1985; anche 12/1985 o solo 1985.
hint-rea-number = Per esempio FI-123456.
document-passport = passaporto
document-residence-permit = permesso di soggiorno
document-identity-card = carta d'identità
document-other = altro documento
error-nobody = Scrivi almeno un nome o un numero.
error-birth-date = Scrivi la data come 31/12/1985, 12/1985 o 1985.
error-fiscal-code = Questo codice fiscale non è giusto: controlla le lettere e le cifre.
error-vat-number = Questa partita IVA non è giusta: sono 11 cifre.
error-rea-number = Scrivi il numero REA come FI-123456.
error-document = Controlla tipo, numero e paese del documento.
error-address = Scegli il comune dall'elenco.
error-columns = La riga ha un altro numero di colonne rispetto alla prima.
error-too-many = Ci sono troppi valori.
error-expires = La scadenza deve essere dopo oggi, e non oltre quanto permette il patto.

## Import

import = Importa da un file
import-people = Importa persone da un file
import-companies = Importa aziende da un file
import-help = Un file CSV con una riga per scheda; la prima riga contiene i nomi delle colonne. Più valori nella stessa cella si separano con |. Il file resta in memoria solo finché serve, e non viene scritto su disco.
file = File CSV
file-help = Al massimo 8 MB. Da Excel: Salva con nome, CSV UTF-8.
import-send = Continua
import-columns = Che cosa c'è nelle colonne
import-columns-help = Controlla che ogni colonna sia quella giusta. «Controlla soltanto» legge tutto il file senza salvare nulla.
column-numbered = Colonna { $it }
import-ignored = (non importare)
import-unknown = Nome non riconosciuto: scegli, o lascia fuori.
import-check = Controlla soltanto
import-store = Importa
import-running = Importazione in corso
import-done = Importazione finita
import-checked = Controllo finito: non è stato salvato nulla
import-stopped = Importazione interrotta
import-again = Quello che è entrato resta. Manda di nuovo lo stesso file: riprende da dove era.
import-line = Fino alla riga { $it }
import-added = Schede aggiunte
import-would-add = Schede che verrebbero aggiunte
import-known = C'erano già
import-refused = Righe rifiutate
import-resumed = Già importato prima fino alla riga
import-refused-lines = Righe rifiutate
import-more = E altre { $it }: sono tutte nel resoconto.
import-report = Scarica il resoconto (CSV, senza dati personali)
import-another = Un altro file
import-twice = Due colonne sono « { $it } »: lasciane fuori una.
import-nobody = Nessuna colonna dice chi è: serve almeno un nome o un numero.
refresh = Aggiorna
line = Riga
field = Campo
column-family-name = Cognome
column-given-name = Nome
column-full-name = Cognome e nome insieme
column-alias = Altro nome
column-passport = Passaporto
column-residence-permit = Permesso di soggiorno
column-identity-card = Carta d'identità
column-street = Via e numero
column-state = Stato del caso
column-manager = Chi lo segue
column-sole-trader = Ditta individuale (sì o no)
column-columns = Colonne
column-codes = Dati in codici

## More about alerts

no = no
none = nessuna
says = Contiene
says-help = Parole o codici: per esempio «agricoltura Foggia».
perhaps = Forse: { $it }.
expires-on = Scade il
expires-help = Vuoto: la durata prevista dal patto.
keep-draft = Salva la bozza
discard-draft = Scarta la bozza
draft-kept = Bozza salvata: { $it }. Resta qui, cifrata, anche se esci.
alike = Quante persone si somigliano
alike-count = { $count ->
    [0] Nessuna persona del vostro registro ha questa combinazione di dati.
    [one] Una sola persona del vostro registro ha questa combinazione di dati.
   *[other] Solo { $count } persone del vostro registro hanno questa combinazione di dati.
}
alike-enough = Almeno { $it } persone del vostro registro hanno questa combinazione di dati.
alike-fields = Contano insieme: { $it }.
alike-rare = Chi la riceve potrebbe capire chi è: il patto chiede almeno { $it } persone. Togli un dato o rendilo più generico.
alike-without = Chi la riceve potrebbe capire chi è. Basterebbe togliere uno di questi: { $it }.

## Map and links

overview = Quadro
map = Mappa delle segnalazioni
map-help = Segnalazioni attive che puoi leggere, per provincia. Sotto { $it } il numero non si mostra, perché potrebbe indicare una persona.
map-desc = Una casella per ogni provincia, disposte come sulla carta; più è scura, più segnalazioni ci sono. Gli stessi numeri sono nella tabella.
map-table = Segnalazioni per provincia
map-more = Contate le { $it } più recenti.
region = Regione
links = Legami tra casi e aziende
links-help = Corrispondenze delle tue schede con le altre regioni, e aziende citate nei casi.
links-desc = Una colonna per regione; i casi sono cerchi, le aziende quadrati, le linee i legami. Gli stessi legami sono nella tabella.
links-table = Tutti i legami
links-more = Ci sono altri legami, non mostrati qui.
no-links = Nessun legame.
link = Legame
link-names = il caso cita l'azienda
link-asked = da confermare
to = A

## Équipe

chair = presidente
pact = Il patto in parole semplici
pact-help = Che cosa avete deciso insieme di condividere, e come.
pact-parties = Chi ne fa parte
pact-purposes = Scopi
purpose-victim-protection = Protezione delle vittime
purpose-joint-casework = Lavoro comune sui casi
pact-basis = Base giuridica
pact-dpia = Valutazione d'impatto
pact-review = Da rivedere il
pact-expiry = Scade dopo il
pact-k = Persone simili richieste
pact-onward = Si può condividere ancora con altri
pact-people = Segnalazioni su persone
pact-companies = Segnalazioni su aziende
pact-shared = Si condividono
pact-fields = Dati permessi
pact-never = Dati mai condivisi
pact-place = Precisione del luogo
pact-citizenship = Precisione della cittadinanza
pact-days = Giorni dopo cui si cancellano
pact-readers = Chi le può leggere
precision-province = provincia
precision-comune = comune
precision-world-region = area del mondo
precision-country = Paese
alarm-code = (codice: { $it })
alarm-lost-nothing = Nulla è andato perso: quello che condividi resta al sicuro qui.
alarm-next = Avvisa l'amministratore del nodo: sa come andare avanti.
alarm-log-broken = Il registro tenuto dallo snodo non combacia con quello che questo nodo ha verificato.
alarm-checkpoint-bad = Lo snodo ha firmato qualcosa che non torna con quanto aveva firmato prima.
alarm-echo-disagrees = Un altro nodo dice di aver visto un registro diverso.
alarm-log-forked = Lo snodo ha mostrato due storie diverse a nodi diversi.
alarm-log-rewritten = Lo snodo ha cambiato una voce già verificata.
alarm-log-truncated = Lo snodo dice che il registro finisce prima di voci che aveva già consegnato.
alarm-log-reordered = Lo snodo ha spostato una voce che aveva confermato.
alarm-log-withheld = Lo snodo ha voci che non consegna a questo nodo.
alarm-log-withheld-next = Se non passa da sé in poco tempo, avvisa l'amministratore.
alarm-entry-replayed = È arrivata due volte la stessa voce: non viene mostrata due volte.
alarm-sender-wrong = Una voce porta il nome di un nodo che non l'ha scritta.
alarm-commit-unprocessable = Questo nodo non riesce a elaborare un cambiamento dell'équipe.
alarm-own-entry-unknown = Nel registro c'è una voce a nome di questo nodo che lui non conosce: forse gira una copia. Il nodo si è messo in quarantena.
alarm-needs-rejoin = Questo nodo è stato ripristinato e deve rientrare nel gruppo prima di inviare.
alarm-needs-rejoin-next = L'amministratore chiede a un'altra regione di approvare il rientro.
alarm-entry-refused = Lo snodo rifiuta per sempre una voce di questo nodo.
alarm-hub-unknown-group = Lo snodo dice di non conoscere questa équipe.
alarm-hub-trimmed = Lo snodo ha eliminato voci che questo nodo non aveva ancora ricevuto.
alarm-hub-trimmed-lost = Alcune segnalazioni degli altri non sono mai arrivate qui: verranno rimandate dopo il rientro.
alarm-notice-cannot-process = Un altro nodo dice di non riuscire a leggere una voce.
alarm-notice-cannot-process-lost = Qui non manca nulla; a quel nodo possono mancare delle segnalazioni.
alarm-notice-rejoin-request = Un altro nodo ha perso il suo stato e chiede di rientrare.
alarm-notice-rejoin-request-next = Gli amministratori si sentono al telefono prima di approvare.
alarm-notice-revocation = Un altro nodo non si fida più di un membro dell'équipe.
alarm-notice-leave = Un nodo lascia l'équipe.
alarm-notice-leave-next = Non devi fare nulla.
alarm-card-forked = Un nodo ha due tessere diverse con lo stesso numero: è stato sospeso per prudenza.
alarm-pact-unknown = Gli altri hanno concordato un patto che non è mai arrivato qui.
alarm-key-ceremony-failed = Una chiave per le corrispondenze non si è potuta creare: mancavano dei nodi.
alarm-key-ceremony-failed-next = Il nodo riprova da solo. Le segnalazioni partono lo stesso.
alarm-key-lost = Mancano troppe parti di una chiave: per ora non si trovano nuove corrispondenze.
alarm-key-dealing-bad = Un nodo ha sbagliato, o barato, mentre si creava una chiave; è stato escluso e la chiave è buona.
alarm-key-dissent = Un nodo ha accettato una chiave diversa da quella che risulta qui.
alarm-evaluation-bad = Un nodo ha risposto in modo sbagliato a una richiesta; la risposta non è stata usata.
alarm-token-budget-exceeded = Un nodo ha chiesto più confronti di quanti il patto permette in un giorno; nessuno ha risposto.
alarm-notice-void = Un nodo considera nullo un cambiamento che questo nodo ha già elaborato.
alarm-hub-clock-ahead = L'orologio dello snodo è avanti rispetto a questo nodo: quello che arriva da lì aspetta.
alarm-hub-clock-ahead-lost = Nulla è andato perso: quello che arriva dagli altri viene mostrato più tardi.
alarm-own-clock-behind = L'orologio di questo nodo è indietro: quello che arriva dagli altri aspetta.
alarm-own-clock-behind-lost = Nulla è andato perso: quello che arriva dagli altri viene mostrato più tardi.
alarm-audit-went-back = Il registro delle attività di un altro nodo non continua quello che aveva dichiarato prima.
alarm-heartbeat-overdue = Da un po' non si sente un altro nodo.
alarm-disk-full = Il disco del nodo è pieno.
alarm-disk-error = Il disco del nodo non risponde come dovrebbe.
alarm-database-read-only = Il nodo non può scrivere nel suo database.
alarm-database-damaged = Il database del nodo è danneggiato.
alarm-store-unavailable = Il nodo non raggiunge il suo database.

## My activity

activity = La mia attività
activity-help = Quello che hai fatto qui, come risulta nel registro di controllo. Solo tu e chi controlla lo vedete.
no-activity = Ancora nulla.
when-done = Quando
about = Riguarda
audit-number = Numero
did-other = { $it }
did-alert-read = Hai aperto una segnalazione
did-alert-list = Hai guardato un elenco di segnalazioni
did-alert-watch = Il tuo sistema ha ricevuto segnalazioni
did-alert-map = Hai guardato la mappa delle segnalazioni
did-alert-links = Hai guardato i legami tra le segnalazioni
did-match-list = Hai guardato un elenco di corrispondenze
did-match-watch = Il tuo sistema ha ricevuto corrispondenze
did-match-read = Hai aperto una corrispondenza
did-alert-share = Hai condiviso segnalazioni
did-alert-withdraw = Hai ritirato una segnalazione
did-record-add = Hai aggiunto una scheda
did-record-read = Hai visto chi è
did-record-erase = Hai cancellato una scheda
did-case-change = Hai aggiornato un caso
did-register-find = Hai cercato nel registro
did-register-import = Hai importato righe da un file
did-match-confirm = Hai confermato una corrispondenza
did-match-deny = Hai detto che non è la stessa
did-match-unlink = Hai scollegato una corrispondenza
did-match-answer = Hai risposto all'altra regione
did-stop-add = Hai aggiunto un valore che non conta come indizio
did-stop-read = Hai letto i valori che non contano come indizi
did-stop-remove = Hai tolto un valore che non conta come indizio
did-account-activate = Hai attivato l'accesso
did-account-bind = Hai legato il tuo accesso all'identità della Regione
did-account-refuse = Accesso rifiutato
did-account-sign-in = Sei entrato
did-account-sign-out = Sei uscito

## The node, for administrators

node = Nodo
node-help = Solo numeri e stati: qui non si vede alcun caso. Le modifiche si fanno dalla riga di comando.
node-health = Salute
node-ready = Il nodo lavora.
node-failing = Il nodo non può lavorare.
node-uptime = Acceso da (ore:minuti)
node-schema = Versione del database
node-sending = Invio
node-hub = Snodo
node-outbox = In attesa di partire
node-lag = Da leggere dallo snodo
node-set-aside = Messe da parte
node-tokens = Confronti da chiedere
node-peers = Di chi si fida
no-peers = Nessun altro nodo.
card-until = Tessera valida fino al
node-expires = Che cosa scade
expiring-own = tessera di questo nodo
expiring-peer = tessera di { $it }
expiring-pact = patto dell'équipe { $it }
days-left = Giorni che restano

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
fault-provider-trip = Questo accesso non è stato chiesto da qui, o è passato troppo tempo.
next-provider-trip = Torna alla pagina di accesso e riprova.
fault-provider-away = Il servizio di identità della Regione non risponde.
next-provider-away = Riprova fra poco, o accedi con nome e password.
fault-provider-refused = Il servizio di identità della Regione non ha confermato l'accesso.
next-provider-refused = Torna alla pagina di accesso e riprova.
fault-unknown-person = La Regione ti conosce, ma in questo nodo nessun operatore è legato a te.
next-unknown-person = Chiedi all'amministratore un collegamento e aprilo: là leghi il tuo accesso alla Regione.
fault-too-many-attempts = Troppi tentativi sbagliati per questo nome o da questo indirizzo: aspetta qualche minuto.
next-too-many-attempts = Un browser con cui sei già entrato funziona subito.
fault-busy = Troppe persone stanno entrando in questo momento: riprova tra poco.
fault-person-taken = Questa persona della Regione è già un altro operatore di questo nodo.
next-person-taken = Entra nel servizio di identità con il tuo nome; altrimenti avvisa l'amministratore.
fault-bad-link = Questo collegamento non vale, o non vale più.
fault-wrong-code = Il codice non è quello che l'app mostra adesso.
fault-password-short = La password deve avere almeno 12 caratteri.
fault-password-long = La password è troppo lunga.
fault-password-repeated = La password ha troppo pochi caratteri diversi.
fault-password-is-name = La password non può essere il tuo nome.
fault-password-differs = Le due password non sono uguali.
fault-already-ended = Questa segnalazione è già finita.
fault-equipe-closed = Nell'équipe non c'è nessun altro in questo momento.
fault-no-such-case = Questo caso non c'è, o non è della tua organizzazione.
fault-no-such-record = Questa scheda non c'è, o non è della tua organizzazione.
fault-unknown-purpose = Scegli lo scopo: senza, i dati non si aprono.
fault-nothing-sought = Scrivi almeno un dato da cercare.
fault-no-such-operator = Non c'è nessun operatore con questo nome.
fault-other-organisation = Questo operatore è di un'altra organizzazione.
fault-unfit-manager = Il ruolo di questo operatore non permette di seguire casi.
fault-erased = Questa scheda è stata cancellata.
fault-not-confirmed = Non hai messo la spunta: non è stato cancellato nulla.
fault-bad-csv = Questo file non è un CSV leggibile: forse una virgoletta è rimasta aperta.
fault-empty-file = Il file non ha righe sotto i nomi delle colonne.
fault-no-file = Il file non è più qui: mandalo di nuovo.
fault-import-running = Una tua importazione è ancora in corso.
fault-too-many-files = Si stanno importando molti file: riprova più tardi.
fault-operator-disabled = Questo accesso è stato chiuso.
fault-no-such-equipe = Questo nodo non fa parte di un'équipe con questo nome.
fault-equipe-not-active = L'équipe non è attiva su questo nodo.
next-not-confirmed = Torna indietro e conferma, se vuoi cancellare.
next-unknown-purpose = Torna indietro e scegli lo scopo dall'elenco.
next-nothing-sought = Torna indietro e scrivi un nome o un numero.
fault-file-too-large = Il file è troppo grande: al massimo 8 MB.
next-file-too-large = Dividilo in più file, ognuno con la riga dei nomi delle colonne.
next-no-file = Torna all'importazione e scegli il file.
next-no-such-page = Torna a oggi.
next-role-not-allowed = Se serve al tuo lavoro, chiedi all'amministratore.
next-forged-form = Apri di nuovo la pagina e ripeti da lì.
next-bad-link = Chiedi all'amministratore un nuovo collegamento.
