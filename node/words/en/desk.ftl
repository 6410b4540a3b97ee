## Around every page

skip = Skip to the content
navigation = Main navigation
footer = Raccordo: protected exchange of alerts between interregional équipes.
today = Today
alerts = Alerts
share = Share
sign-in = Sign in
sign-out = Sign out
yes = yes
any = All
never = never

## Signing in

name = Name
password = Password
password-again = Repeat the password
password-help = At least 12 characters; a sentence is fine.
code = Six-digit code
code-help = The authenticator app on your phone shows it.
activate = Activate your access
activate-who = Personal access of { $it }.
activate-code = 1. Connect the authenticator app
activate-scan = Open an authenticator app on your phone and scan this code.
activate-picture = QR code for the authenticator app
activate-type = If you cannot scan it, type this key into the app:
activate-password = 2. Choose a password
activate-provider = Use the Region's identity
activate-provider-help = You can bind this access to your identity at the Region: from then on you sign in with it alone.
activate-here = Or choose a password and connect an authenticator app.
sign-in-provider = Sign in with the Region's identity
sign-in-here = Or with name and password
signed-in = You have signed in
go-on = Go on

## Notices

notices = Your notices
notices-help = Raccordo can write to you by e-mail that there is something new: not what, nor from whom, and not while you are here.
notices-not-served = This node sends no e-mail: ask the administrator.
notices-address = Your e-mail address at work
notices-empty = Leave it empty to get no notices.
save = Save
fault-bad-address = This is no e-mail address.

## Today and équipes

equipes = Your équipes
equipe = Équipe
no-equipes = This node is in no équipe yet.
members-count = { $count ->
    [one] one node
   *[other] { $count } nodes
}
alarms-count = { $count ->
    [one] One problem to show to the administrator
   *[other] { $count } problems to show to the administrator
}
sending-open = Sending works.
sending-held = Sending is held: alerts are safe here and leave later.
waiting = Waiting to leave: { $it }.
newest = Newest alerts
all-alerts = All alerts
members = Who takes part
member = Node
trust = Trust
last-heard = Last contact
silent = silent
alarms = Problems
hub-connected = Connected to the hub { $it }.
hub-away = Not connected to the hub { $it }: the node tries again by itself.
trust-self = this node
trust-verified = verified by phone
trust-vouched = vouched for by other members
trust-suspended = suspended
trust-revoked = revoked
trust-unknown = not verified yet
alarm-other = Ask the administrator (code: { $it }).
alarm-welcome-refused = An invitation to join the group was refused, since it does not follow the signed pact.
alarm-hub-removed = The hub says that this node is no longer in the équipe.

## What the day brings

new = New
new-mark = new
new-since = Since you looked last, { $it }
new-first = Here you find what comes between one visit and the next.
new-nothing = Nothing new.
new-alerts = { $count ->
    [one] One new alert
   *[other] { $count } new alerts
}
new-alerts-more = { $count ->
    [one] More than one new alert
   *[other] More than { $count } new alerts
}
new-matches = { $count ->
    [one] One new match
   *[other] { $count } new matches
}
waits = Waits for you
waits-nothing = Nothing waits for you.
waits-undecided = { $count ->
    [one] One match to confirm or deny
   *[other] { $count } matches to confirm or deny
}
waits-unanswered = { $count ->
    [one] One linked match without your answer
   *[other] { $count } linked matches without your answer
}
waits-draft-case = The draft of a case
waits-draft-company = The draft of a company
waits-draft-kept = Saved on { $it }: it has not gone out yet.
late = Late
late-nothing = Nothing is late.
late-queued = { $count ->
    [one] One alert has not gone out for more than a day
   *[other] { $count } alerts have not gone out for more than a day
}
late-queued-more = { $count ->
    [one] At least one alert has not gone out for more than a day
   *[other] At least { $count } alerts have not gone out for more than a day
}
late-missing = { $count ->
    [one] One alert has not reached everybody after more than a day
   *[other] { $count } alerts have not reached everybody after more than a day
}
late-missing-more = { $count ->
    [one] At least one alert has not reached everybody after more than a day
   *[other] At least { $count } alerts have not reached everybody after more than a day
}
late-refused = { $count ->
    [one] One alert could not be read
   *[other] { $count } alerts could not be read
}
late-refused-more = { $count ->
    [one] At least one alert could not be read
   *[other] At least { $count } alerts could not be read
}
late-held = Sending to { $it } is on hold. Nothing is lost here: they go out later. Tell the administrator.
late-hub = The hub { $it } does not answer. Nothing is lost here: the node tries again by itself.
late-sending = They are going out now.
late-silent = { $it } is missing, and has fallen silent. It receives them as soon as it connects.
late-slow = { $it } is missing: it has not confirmed yet.
late-unread = The node { $it } could not read them: ask the administrator.
late-others = { $count ->
    [one] and one more
   *[other] and { $count } more
}
member-silent = The node { $it } has been silent since { $of }
member-silent-why = What you share waits for it, and is not lost.
expires-own = The card of this node expires on { $it }
expires-own-now = The card of this node has expired, or expires today: { $it }
expires-own-why = Tell the administrator: renewing it before costs nothing, afterwards it takes phone calls.
expires-peer = The card of { $it } expires on { $of }
expires-peer-why = Its administrator renews it.
expires-pact = The pact of the équipe { $it } expires on { $of }
expires-pact-now = The pact of the équipe { $it } has expired, or expires today: { $of }
expires-pact-why = Afterwards nothing is shared any more: renew it together.
no-alerts-yet = No alerts yet: those that you share, and those of the others, show up here.
no-alerts-here = No alerts among these: there are older ones.
matches-all = All
matches-undecided = To decide
matches-unanswered = Without answer
no-matches-waiting = No match waits for you.

## Lists of alerts

alerts-count = { $count ->
    [one] one alert
   *[other] { $count } alerts
}
no-alerts = No alerts.
when = When
what = What
from = From
ours = us
state = State
filter = Filter
older = Older
kind-case = Case
kind-company = Company
state-active = active
state-withdrawn = withdrawn
state-expired = expired
state-erased = erased
delivery = Delivery
delivery-queued = safe here, not sent yet
delivery-accepted = sent, not arrived yet
delivery-some = arrived at { $it }
delivery-delivered = arrived everywhere
delivery-read = opened everywhere

## One alert

content = Content
no-content = The content is gone.
expires = Expires
refusals = Not readable
refusals-count = { $count ->
    [one] one node could not read it
   *[other] { $count } nodes could not read it
}
withdraw = Withdraw
withdraw-help = The content is erased here at once, and by all others as soon as they connect.
purpose = Purpose
reason = Reason

## Sharing

share-case = Report a case
share-case-help = A person, in codes only: neither name nor documents leave this node.
share-company = Report a company
share-company-help = A company, in codes only: neither name nor VAT number leave this node.
share-not-allowed = Your role does not allow sharing alerts.
required = * required
look = Check, and see who receives
who-receives = Who receives
nobody-yet = No other node has joined yet: the alert leaves when the first one does.
what-leaves = What leaves
send = Send the alert
change = Change
errors-count = { $count ->
    [one] One field must be corrected; nothing has left.
   *[other] { $count } fields must be corrected; nothing has left.
}
error-missing = This field is required.
error-unknown-code = Choose an entry of the list.
error-pact-forbids = The équipe's pact does not allow this: remove it, or choose something more general.
error-field = This value will not do.

## Matches

matches = Matches
matches-help = A person or company of your register that another region may know too. Nobody sees the other's data until both confirm.
no-matches = No matches.
found = Found
with = With
more = More
how-sure = How sure
what-agrees = What agrees
not-seen-here = { $it } says so: it is not seen here.
only-told = the other region says so
match-person = Perhaps the same person
match-company = Perhaps the same company
match-candidate = to be decided
match-confirmed-here = confirmed by you, waiting for the other region
match-confirmed-there = confirmed by the other region: it is your turn
match-linked = linked
match-denied-here = not the same, you say
match-denied-there = not the same, the other region says
match-unlinked-here = unlinked by you
match-unlinked-there = unlinked by the other region
match-coming = on its way: { $it }
grade-a = Very likely: a document agrees, or so much that hardly anybody else would
grade-b = Likely: more agrees than by chance
grade-c = Only a question: it may be chance
is-it-the-same = Is it the same?
confirm-help = When both confirm, each sees the other's name, organisation and work phone: nothing else.
confirm = Yes, the same
deny = No, another
whom-to-call = Whom to call
organisation = Organisation
work-phone = Work phone
their-answer = Their answer
your-answer = Your answer
word-call-me = Call me
word-not-mine = Not mine any more
word-already-closed = Already closed
unlink = Unlink
unlink-help = If you noticed that it is not the same. It cannot be linked again.
record-here = Record in your register: { $it }
family-codice-fiscale = codice fiscale
family-provisional-codice-fiscale = provisional codice fiscale
family-permit = residence permit
family-passport = passport
family-phone = phone
family-name-birth = name and date of birth
family-name-start-birth = beginning of the name and date of birth
family-names-place = names and place
family-name-starts-place = beginnings of the names and place
family-birth-place = date of birth and place
family-names-year = names and year of birth
family-passport-number = passport number, without its country
family-phone-name = phone and name
family-names-day = names, day and month of birth
family-initials-birth = initials and date of birth
family-names-years-group = names, citizenship and about the year of birth
family-company-name = the company's name
family-company-words-place = words of the company's name and comune
reason-identifier = the same document or code
reason-phone = the same phone
reason-number = the same passport number
reason-name = names that sound or begin alike
reason-year = the same year of birth, or one near it
reason-day = the same day and month of birth
reason-group = the same citizenship
reason-place = the same comune
rarity-one-of-a-thousand = { $it }: less than one of a thousand others has it too
rarity-one-of-a-hundred = { $it }: about one of a hundred others has it too
rarity-one-of-ten = { $it }: some others have it too
rarity-many = { $it }: many others have it too
family-company-number = the company's VAT number or codice fiscale
family-rea = REA number
family-company-name-place = the company's name and comune
fault-no-such-match = This match is not here, or not for you.
fault-no-work-phone = Your work phone is missing: without it the other region would not know whom to call.
next-no-work-phone = Ask the administrator to note your work phone.

## Register

register = Register
register-help = The register stays on this node. Lists show no names: to see who it is, open the record and choose a purpose.
people = People
companies = Companies
record = Record
record-active = active
record-erased = erased
no-records = No records.
case-named = Case { $it }
company-named = Company { $it }
sole-trader-named = Sole trader { $it }
manager = Case manager
since = Since
changed-at = Last changed
find = Find
find-person = Find a person
find-company = Find a company
find-again = Search again
find-help = Write what you know: one detail is enough, but whole; of a name, family and given name as in the record. The search is recorded with its purpose.
found-count = { $count ->
    [0] No record found
    [one] One record found
   *[other] { $count } records found
}
agrees = Agrees: { $it }
why = Why you need it
why-help = The purpose is recorded together with your name.
show-identity = Show who it is
read-for = Reading recorded. Purpose: { $it }.
who-it-is = Who it is
which-company = Which company
add = Add
add-person = Add a person
add-company = Add a company
add-help = One identifying detail is enough. Nothing that you write here leaves this node.
add-errors-count = { $count ->
    [one] One field needs correcting; nothing was saved.
   *[other] { $count } fields need correcting; nothing was saved.
}
more-rows = More rows
the-case = The case
manager-help = The name of an operator of your organisation; empty: you.
new-manager = Hand over to
new-manager-help = The name of an operator of the same organisation; empty: it stays as it is.
codes-of-record = Coded details
codes-help = Optional: they help to prepare the alert, and to know how many people are alike.
sole-trader-help = It is a sole trader (counts as a person)
share-record = Prepare the alert
share-record-help = Only codes leave. Whoever receives it does not see this record, but a match may lead to it.
about-record = About record { $it } of your register: nobody else sees that.
change-case = Update the case
save-case = Save
another-case = Open another case of the same person
erase = Erase
erase-person-help = The person, their details and all their cases are destroyed on this node. There is no way back, and the same file number cannot come in again.
erase-company-help = The company and its details are destroyed on this node. There is no way back.
erase-alerts-help = Alerts that were shared stay with the others until they are withdrawn: withdraw them first, if need be.
erase-sure = I understand: erase for ever.
erased-help = The details of this record were destroyed.
back = Back
note-added = Record added.
note-known = It was here already, with the same file number: nothing was added.
note-changed = Case updated.
record-reference = File number
record-name = Name
record-birth-date = Date of birth
record-fiscal-code = Codice fiscale
record-document = Document
record-phone = Phone
record-address = Address
record-employer = Employer
record-company-name = Company name
record-vat-number = Partita IVA
record-rea-number = REA number
part-family = Family name
part-given = Given name
part-kind = Kind
part-number = Number
part-country = Country
part-street = Street and number
part-comune = Comune
hint-birth-date = For example 31/12/1985; also 12/1985 or only 1985.
hint-rea-number = For example FI-123456.
document-passport = passport
document-residence-permit = residence permit
document-identity-card = identity card
document-other = other document
error-nobody = Write at least a name or a number.
error-birth-date = Write the date as 31/12/1985, 12/1985 or 1985.
error-fiscal-code = This codice fiscale is not right: check letters and digits.
error-vat-number = This partita IVA is not right: it has 11 digits.
error-rea-number = Write the REA number as FI-123456.
error-document = Check kind, number and country of the document.
error-address = Choose the comune from the list.
error-columns = The line has another number of columns than the first one.
error-too-many = There are too many values.
error-expires = The end must be after today, and no later than the pact allows.

## Import

import = Import a file
import-people = Import people from a file
import-companies = Import companies from a file
import-help = A CSV file with one record a line; the first line holds the names of the columns. Several values in one cell stand apart by |. The file stays in memory only while it is needed, and is never written to disk.
file = CSV file
file-help = At most 8 MB. From Excel: Save as, CSV UTF-8.
import-send = Continue
import-columns = What the columns hold
import-columns-help = Check that each column is the right one. “Only check” reads the whole file and saves nothing.
column-numbered = Column { $it }
import-ignored = (do not import)
import-unknown = Name not recognised: choose, or leave it out.
import-check = Only check
import-store = Import
import-running = Importing
import-done = Import finished
import-checked = Check finished: nothing was saved
import-stopped = Import stopped
import-again = What came in stays. Send the same file again: it goes on where it was.
import-line = Up to line { $it }
import-added = Records added
import-would-add = Records that would be added
import-known = Already here
import-refused = Lines refused
import-resumed = Imported before, up to line
import-refused-lines = Refused lines
import-more = And { $it } more: the report has them all.
import-report = Download the report (CSV, no personal data)
import-another = Another file
import-twice = Two columns are “{ $it }”: leave one out.
import-nobody = No column says who it is: a name or a number is needed.
refresh = Refresh
line = Line
field = Field
column-family-name = Family name
column-given-name = Given name
column-full-name = Family and given name together
column-alias = Other name
column-passport = Passport
column-residence-permit = Residence permit
column-identity-card = Identity card
column-street = Street and number
column-state = State of the case
column-manager = Case manager
column-sole-trader = Sole trader (yes or no)
column-columns = Columns
column-codes = Coded details

## More about alerts

no = no
none = none
says = Contains
says-help = Words or codes: for example “farming Foggia”.
perhaps = Perhaps: { $it }.
expires-on = Expires on
expires-help = Empty: as long as the pact says.
keep-draft = Save the draft
discard-draft = Discard the draft
draft-kept = Draft saved: { $it }. It stays here, encrypted, even if you sign out.
alike = How many people are alike
alike-count = { $count ->
    [0] Nobody in your register has this combination of details.
    [one] Only one person in your register has this combination of details.
   *[other] Only { $count } people in your register have this combination of details.
}
alike-enough = At least { $it } people in your register have this combination of details.
alike-fields = These count together: { $it }.
alike-rare = Whoever receives it might work out who it is: the pact asks for at least { $it } people. Leave something out, or make it coarser.
alike-without = Whoever receives it might work out who it is. It would be enough to leave one of these out: { $it }.

## Map and links

overview = Overview
map = Map of alerts
map-help = Active alerts that you may read, by province. Below { $it } the number is not shown, since it might point to a person.
map-desc = One tile for each province, placed as on a map; the darker, the more alerts. The same numbers are in the table.
map-table = Alerts by province
map-more = The newest { $it } were counted.
region = Region
links = Links between cases and companies
links-help = Matches of your records with other regions, and companies that cases name.
links-desc = One column for each region; cases are circles, companies squares, links are lines. The same links are in the table.
links-table = All links
links-more = There are more links, not shown here.
no-links = No links.
link = Link
link-names = the case names the company
link-asked = to be confirmed
to = To

## Équipe

chair = chair
pact = The pact in plain words
pact-help = What you have decided together to share, and how.
pact-parties = Who takes part
pact-purposes = Purposes
purpose-victim-protection = Protection of victims
purpose-joint-casework = Joint work on cases
pact-basis = Legal basis
pact-dpia = Impact assessment
pact-review = To be reviewed on
pact-expiry = Expires after
pact-k = People alike that are asked for
pact-onward = May be shared further
pact-people = Alerts about people
pact-companies = Alerts about companies
pact-shared = Shared
pact-fields = Details allowed
pact-never = Details never shared
pact-place = How precise the place is
pact-citizenship = How precise the citizenship is
pact-days = Days after which they are erased
pact-readers = Who may read them
precision-province = province
precision-comune = comune
precision-world-region = part of the world
precision-country = country
alarm-code = (code: { $it })
alarm-lost-nothing = Nothing was lost: what you share stays safe here.
alarm-next = Tell the node's administrator, who knows how to go on.
alarm-log-broken = The log that the hub keeps does not fit what this node has verified.
alarm-checkpoint-bad = The hub has signed something that contradicts what it signed before.
alarm-echo-disagrees = Another node says that it saw a different log.
alarm-log-forked = The hub has shown two different histories to different nodes.
alarm-log-rewritten = The hub has changed an entry that was verified before.
alarm-log-truncated = The hub says that the log ends before entries that it had delivered.
alarm-log-reordered = The hub has moved an entry that it had acknowledged.
alarm-log-withheld = The hub has entries that it does not deliver to this node.
alarm-log-withheld-next = If it does not pass by itself soon, tell the administrator.
alarm-entry-replayed = The same entry came twice: it is not shown twice.
alarm-sender-wrong = An entry bears the name of a node that did not write it.
alarm-commit-unprocessable = This node cannot process a change of the équipe.
alarm-own-entry-unknown = The log holds an entry in this node's name that it does not know: a copy may be running. The node has quarantined itself.
alarm-needs-rejoin = This node was restored and must join the group again before it sends.
alarm-needs-rejoin-next = The administrator asks another region to approve the return.
alarm-entry-refused = The hub refuses an entry of this node for ever.
alarm-hub-unknown-group = The hub says that it does not know this équipe.
alarm-hub-trimmed = The hub has thrown away entries that this node had not received.
alarm-hub-trimmed-lost = Some alerts of the others never came here: they are sent again after the return.
alarm-notice-cannot-process = Another node says that it cannot read an entry.
alarm-notice-cannot-process-lost = Nothing is missing here; alerts may be missing at that node.
alarm-notice-rejoin-request = Another node has lost its state and asks to return.
alarm-notice-rejoin-request-next = The administrators talk on the phone before they approve.
alarm-notice-revocation = Another node no longer trusts a member of the équipe.
alarm-notice-leave = A node leaves the équipe.
alarm-notice-leave-next = You need not do anything.
alarm-card-forked = A node has two different cards of one number: it was suspended to be safe.
alarm-pact-unknown = The others agreed on a pact that never came here.
alarm-key-ceremony-failed = A key for matches could not be made: nodes were missing.
alarm-key-ceremony-failed-next = The node tries again by itself. Alerts go out all the same.
alarm-key-lost = Too many parts of a key are missing: until then no new matches are found.
alarm-key-dealing-bad = A node erred, or cheated, while a key was made; it was left out, and the key is good.
alarm-key-dissent = A node accepted another key than the one known here.
alarm-evaluation-bad = A node answered a request wrongly; the answer was not used.
alarm-token-budget-exceeded = A node asked for more comparisons than the pact allows in a day; nobody answered.
alarm-notice-void = A node holds a change for void that this node has processed.
alarm-hub-clock-ahead = The hub's clock is ahead of this node's: what comes from it waits.
alarm-hub-clock-ahead-lost = Nothing was lost: what comes from the others is shown later.
alarm-own-clock-behind = This node's clock is behind: what comes from the others waits.
alarm-own-clock-behind-lost = Nothing was lost: what comes from the others is shown later.
alarm-audit-went-back = Another node's record of what it does does not continue what it said before.
alarm-heartbeat-overdue = Nothing was heard of another node for a while.
alarm-disk-full = The node's disk is full.
alarm-disk-error = The node's disk does not answer as it should.
alarm-database-read-only = The node cannot write to its database.
alarm-database-damaged = The node's database is damaged.
alarm-store-unavailable = The node cannot reach its database.

## My activity

activity = My activity
activity-help = What you did here, as the audit has it. Only you and the auditors see it.
no-activity = Nothing yet.
when-done = When
about = About
audit-number = Number
did-other = { $it }
did-alert-read = You opened an alert
did-alert-list = You looked at a list of alerts
did-alert-watch = Your system was told of alerts
did-alert-map = You looked at the map of alerts
did-alert-links = You looked at the links between alerts
did-match-list = You looked at a list of matches
did-match-watch = Your system was told of matches
did-match-read = You opened a match
did-alert-share = You shared alerts
did-alert-withdraw = You withdrew an alert
did-record-add = You added a record
did-record-read = You saw who it is
did-record-erase = You erased a record
did-case-change = You updated a case
did-register-find = You searched the register
did-register-import = You imported lines of a file
did-match-confirm = You confirmed a match
did-match-deny = You said that it is not the same
did-match-unlink = You unlinked a match
did-match-answer = You answered the other region
did-stop-add = You added a value that is no evidence
did-stop-read = You read the values that are no evidence
did-stop-remove = You removed a value that is no evidence
did-account-activate = You activated your account
did-account-bind = You bound your access to the Region's identity
did-account-refuse = Sign-in refused
did-account-sign-in = You signed in
did-account-sign-out = You signed out

## The node, for administrators

node = Node
node-help = Numbers and states only: no case is seen here. Changes are made on the command line.
node-health = Health
node-ready = The node is working.
node-failing = The node cannot work.
node-uptime = Running for (hours:minutes)
node-schema = Version of the database
node-sending = Sending
node-hub = Hub
node-outbox = Waiting to leave
node-lag = To be read from the hub
node-set-aside = Set aside
node-tokens = Comparisons to be asked for
node-peers = Whom it trusts
no-peers = No other nodes.
card-until = Card valid until
node-expires = What expires
expiring-own = card of this node
expiring-peer = card of { $it }
expiring-pact = pact of the équipe { $it }
days-left = Days left

## Fields

field-issued-on = Date of the alert
field-age-band = Age band
field-gender = Gender
field-citizenship = Citizenship
field-languages = Languages
field-legal-path = Legal path
field-trafficking-status = Trafficking status
field-status-decider = Who assessed the status
field-exploitation = Forms of exploitation
field-recruitment = Recruitment
field-sector = Sector
field-province = Province
field-comune = Comune
field-month = Month of the facts
field-ilo-indicators = ILO indicators
field-indices603bis = Indices of art. 603-bis
field-control-methods = Methods of control
field-severity = Severity
field-urgency = Urgency
field-needs = Needs
field-minor = A minor is involved
field-contact-safety = Safety of contact
field-company-refs = Linked companies
field-consent-ref = Consent
field-reliability = Reliability
field-tags = Tags
field-sole-trader = It is a sole trader
field-role = Role of the company
field-workers-band = Number of workers
field-month-from = From month
field-month-to = To month
field-source-class = Kind of source
field-status = Outcome
field-investigation-hold = Investigation under way
field-reply-right = Right of reply

## Problems

problem = It did not work
nothing-lost = Nothing was lost.
next = Try again; if it happens again, call the administrator with the number below.
operation = Number of the operation: { $it }
back-to-today = Back to today
fault-usage = What was sent will not do.
fault-unauthenticated = You must sign in.
fault-refused = Your role or the pact does not allow this.
fault-not-found = There is nothing at this address.
fault-conflict = This is not possible now.
fault-exhausted = Too many requests in a short time.
fault-unavailable = The node cannot work now.
fault-ours = There was an error of the program.
fault-no-such-page = This page does not exist.
fault-no-such-alert = This alert is not here, or not for you.
fault-role-not-allowed = Your role does not allow this.
fault-forged-form = The page was too old or came from another site.
fault-wrong-sign-in = Name, password or code is not right.
fault-provider-trip = This sign-in was not asked for here, or too much time has passed.
next-provider-trip = Go back to the page for signing in and try again.
fault-provider-away = The Region's identity service does not answer.
next-provider-away = Try again in a while, or sign in with name and password.
fault-provider-refused = The Region's identity service has not confirmed you.
next-provider-refused = Go back to the page for signing in and try again.
fault-unknown-person = The Region knows you, and no operator of this node is bound to you.
next-unknown-person = Ask the administrator for a link, and open it: there you bind your access to the Region.
fault-too-many-attempts = Too many wrong attempts at this name or from this address: wait some minutes.
next-too-many-attempts = A browser in which you have signed in before works at once.
fault-busy = Too many people sign in at this moment: try again soon.
fault-person-taken = This person of the Region is another operator of this node already.
next-person-taken = Sign in at the identity service as yourself; else tell the administrator.
fault-bad-link = This link does not work, or no longer.
fault-wrong-code = The code is not the one that the app shows now.
fault-password-short = The password must have at least 12 characters.
fault-password-long = The password is too long.
fault-password-repeated = The password has too few different characters.
fault-password-is-name = The password cannot be your name.
fault-password-differs = The two passwords differ.
fault-already-ended = This alert has ended already.
fault-equipe-closed = Nobody else is in the équipe now.
fault-no-such-case = This case is not there, or not of your organisation.
fault-no-such-record = This record is not there, or not of your organisation.
fault-unknown-purpose = Choose a purpose: without one, nothing is opened.
fault-nothing-sought = Write at least one detail to look for.
fault-no-such-operator = There is no operator of this name.
fault-other-organisation = This operator is of another organisation.
fault-unfit-manager = This operator's role does not allow answering for cases.
fault-erased = This record was erased.
fault-not-confirmed = The box was not ticked: nothing was erased.
fault-bad-csv = This file is no readable CSV: a quotation mark may be left open.
fault-empty-file = The file has no lines below the names of its columns.
fault-no-file = The file is no longer here: send it again.
fault-import-running = An import of yours is still running.
fault-too-many-files = Many files are being imported: try again later.
fault-operator-disabled = This account was closed.
fault-no-such-equipe = This node is in no équipe of this name.
fault-equipe-not-active = The équipe is not active on this node.
next-not-confirmed = Go back and confirm, if you want to erase.
next-unknown-purpose = Go back and choose a purpose from the list.
next-nothing-sought = Go back and write a name or a number.
fault-file-too-large = The file is too large: at most 8 MB.
next-file-too-large = Divide it into several files, each with the line of the names of the columns.
next-no-file = Go back to the import and choose the file.
next-no-such-page = Go back to today.
next-role-not-allowed = If your work needs it, ask the administrator.
next-forged-form = Open the page again and repeat from there.
next-bad-link = Ask the administrator for a new link.
