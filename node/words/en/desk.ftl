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

## Lists of alerts

alerts-count = { $count ->
    [one] one alert
   *[other] { $count } alerts
}
no-alerts = No alerts.
when = Received
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
grade-a = Very likely: a document agrees, or names and full date of birth
grade-b = Likely: several data agree together
grade-c = Only a question: one weak datum agrees
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
family-name-employer = name and employer
family-names-year = names and year of birth
family-company-number = the company's VAT number or codice fiscale
family-rea = REA number
family-company-name-place = the company's name and comune
fault-no-such-match = This match is not here, or not for you.
fault-no-work-phone = Your work phone is missing: without it the other region would not know whom to call.
next-no-work-phone = Ask the administrator to note your work phone.

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
fault-account-closed = Too many wrong attempts: wait some minutes.
fault-bad-link = This link does not work, or no longer.
fault-wrong-code = The code is not the one that the app shows now.
fault-password-short = The password must have at least 12 characters.
fault-password-long = The password is too long.
fault-password-repeated = The password has too few different characters.
fault-password-is-name = The password cannot be your name.
fault-password-differs = The two passwords differ.
fault-already-ended = This alert has ended already.
fault-equipe-closed = Nobody else is in the équipe now.
next-no-such-page = Go back to today.
next-role-not-allowed = If your work needs it, ask the administrator.
next-forged-form = Open the page again and repeat from there.
next-bad-link = Ask the administrator for a new link.
