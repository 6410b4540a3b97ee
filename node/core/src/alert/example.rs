//! Synthetic alerts for pilots, documentation and tests: valid, varied, of nobody.

use jiff::civil::Date;
use raccordo_proto::alert::v1::alert::Body;
use raccordo_proto::alert::v1::{Alert, CaseAlert, CompanyAlert};

use crate::codes::{Code, CodeLists};
use crate::entropy::{Entropy, draw};
use crate::object::Kind;
use crate::time::Instant;

/// A sector as the programmes meet it.
struct Scene {
    division: &'static str,
    ateco: &'static str,
    citizenship: &'static [&'static str],
    languages: &'static [&'static str],
    indicators: &'static [&'static str],
    controls: &'static [&'static str],
    roles: &'static [&'static str],
}

const SCENES: [Scene; 8] = [
    Scene {
        division: "01",
        ateco: "01.21.00",
        citizenship: &["PK", "BD", "IN", "014", "011"],
        languages: &["urd", "pan", "ben", "eng"],
        indicators: &["wages", "conditions", "overtime", "vulnerability", "isolation"],
        controls: &["TakesEarnings", "FalsePromises", "WithholdsNecessities"],
        roles: &["employer", "intermediary", "cooperative", "landlord"],
    },
    Scene {
        division: "01",
        ateco: "01.13.11",
        citizenship: &["MA", "SN", "GM", "ML", "015"],
        languages: &["ara", "wol", "fra", "man"],
        indicators: &["wages", "overtime", "deception", "debt", "conditions"],
        controls: &["DebtBondage", "Threats", "ExcessiveWorkingHours"],
        roles: &["employer", "intermediary", "landlord"],
    },
    Scene {
        division: "41",
        ateco: "41.00.00",
        citizenship: &["EG", "AL", "MD", "015"],
        languages: &["ara", "sqi", "ron"],
        indicators: &["wages", "conditions", "overtime"],
        controls: &["FalsePromises", "ThreatsLawEnforcement"],
        roles: &["employer", "contractor", "cooperative"],
    },
    Scene {
        division: "52",
        ateco: "52.24.40",
        citizenship: &["BD", "PE", "EG", "034"],
        languages: &["ben", "spa", "ara"],
        indicators: &["overtime", "wages", "intimidation"],
        controls: &["ExcessiveWorkingHours", "PsychologicalAbuse"],
        roles: &["cooperative", "contractor", "intermediary"],
    },
    Scene {
        division: "14",
        ateco: "14.21.10",
        citizenship: &["CN", "PK", "BD", "030"],
        languages: &["zho", "urd", "ben"],
        indicators: &["overtime", "wages", "conditions", "documents"],
        controls: &["WithholdsDocuments", "ExcessiveWorkingHours", "RestrictsMovement"],
        roles: &["employer", "contractor", "landlord"],
    },
    Scene {
        division: "97",
        ateco: "97.00.90",
        citizenship: &["UA", "GE", "PH", "PE", "151"],
        languages: &["ukr", "kat", "tgl", "spa"],
        indicators: &["isolation", "overtime", "movement", "documents"],
        controls: &["RestrictsMovement", "WithholdsDocuments", "PsychologicalAbuse"],
        roles: &["employer", "intermediary"],
    },
    Scene {
        division: "56",
        ateco: "56.11.11",
        citizenship: &["BD", "LK", "TN", "034"],
        languages: &["ben", "sin", "ara"],
        indicators: &["wages", "overtime", "deception"],
        controls: &["TakesEarnings", "FalsePromises"],
        roles: &["employer"],
    },
    Scene {
        division: "15",
        ateco: "15.12.00",
        citizenship: &["CN", "SN", "NG", "011"],
        languages: &["zho", "wol", "eng"],
        indicators: &["conditions", "wages", "overtime"],
        controls: &["ExcessiveWorkingHours", "Threats"],
        roles: &["employer", "contractor"],
    },
];

/// Mostly Toscana and Umbria, by weight of repetition, and their neighbours.
const PROVINCES: [&str; 18] = [
    "045", "046", "047", "048", "049", "050", "051", "052", "053", "053", "100", "100", "054",
    "054", "055", "056", "041", "037",
];

/// Mostly young adults; seldom a minor.
const AGE_BANDS: [&str; 10] =
    ["18-24", "18-24", "18-24", "25-34", "25-34", "25-34", "35-44", "35-44", "45-54", "14-17"];
const LEGAL_PATHS: [&str; 6] = ["art18", "art18ter", "art13", "asylum", "other_permit", "none"];

/// Makes `count` valid alerts of one kind. The same entropy, time and lists make the same
/// alerts. Ids, tags and expiry are left to the node and the pact.
pub fn example(
    kind: Kind,
    count: usize,
    entropy: &dyn Entropy,
    now: Instant,
    lists: &CodeLists,
) -> Vec<Alert> {
    let maker = Maker { entropy, lists, today: now.date() };
    let body = || match kind {
        Kind::Case => Body::CaseAlert(maker.case()),
        Kind::Company => Body::CompanyAlert(maker.company()),
    };
    let alert = |_| Alert { body: Some(body()), ..Alert::default() };
    (0..count).map(alert).collect()
}

struct Maker<'a> {
    entropy: &'a dyn Entropy,
    lists: &'a CodeLists,
    today: Date,
}

impl Maker<'_> {
    fn case(&self) -> CaseAlert {
        let scene = self.scene();
        let issued = self.days_before(self.today, 60);
        let age_band = self.pick(&AGE_BANDS).map(text).unwrap_or_default();
        let province = self.pick(&PROVINCES).copied().unwrap_or_default();
        CaseAlert {
            issued_on: issued.to_string(),
            minor: matches!(age_band.as_str(), "0-13" | "14-17"),
            age_band,
            gender: self
                .pick(&["Masculine", "Masculine", "Feminine"])
                .map(text)
                .unwrap_or_default(),
            citizenship: self.some(scene.citizenship, 1),
            languages: self.some(scene.languages, 2),
            legal_path: self.pick(&LEGAL_PATHS).map(text).unwrap_or_default(),
            trafficking_status: "PossibleVictimOfTrafficking".to_owned(),
            status_decider: self.one("status_decider"),
            exploitation: vec!["ForcedLabour".to_owned()],
            recruitment: self.of_list("recruitment", 1),
            sector: scene.division.to_owned(),
            province: province.to_owned(),
            comune: if self.one_in(3) { self.comune(province) } else { String::new() },
            month: month(self.days_before(issued, 365)),
            ilo_indicators: self.some(scene.indicators, 3),
            indices_603bis: self.of_list("index_603bis", 2),
            control_methods: self.some(scene.controls, 2),
            severity: self.one("severity"),
            urgency: self.one("urgency"),
            needs: self.of_list("need", 3),
            contact_safety: self.of_list("contact_safety", 1),
            company_refs: Vec::new(),
            consent_ref: self.uuid(),
            reliability: self.one("reliability"),
            tags: Vec::new(),
        }
    }

    fn company(&self) -> CompanyAlert {
        let scene = self.scene();
        let issued = self.days_before(self.today, 60);
        let last = self.days_before(issued, 120);
        let province = self.pick(&PROVINCES).copied().unwrap_or_default();
        let known = self.lists.lookup("ateco", scene.ateco).is_some();
        CompanyAlert {
            issued_on: issued.to_string(),
            sole_trader: self.one_in(5),
            sector: if known { scene.ateco } else { scene.division }.to_owned(),
            province: province.to_owned(),
            comune: self.comune(province),
            role: self.pick(scene.roles).map(text).unwrap_or_default(),
            ilo_indicators: self.some(scene.indicators, 3),
            indices_603bis: self.of_list("index_603bis", 2),
            workers_band: self.one("workers_band"),
            month_from: month(self.days_before(last, 365)),
            month_to: month(last),
            source_class: self.one("source_class"),
            status: self.pick(&["reported", "reported", "verifying"]).map(text).unwrap_or_default(),
            investigation_hold: false,
            reply_right: self.one("reply_right"),
            reliability: self.one("reliability"),
            tags: Vec::new(),
        }
    }

    fn scene(&self) -> &'static Scene {
        let [first, ..] = &SCENES;
        self.pick(&SCENES).unwrap_or(first)
    }

    /// A number below `bound`; 0 for 0. The slight bias of the remainder does not matter here.
    fn below(&self, bound: usize) -> usize {
        let drawn = u32::from_be_bytes(draw(self.entropy)) as usize;
        drawn.checked_rem(bound).unwrap_or(0)
    }

    fn one_in(&self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'s, T>(&self, items: &'s [T]) -> Option<&'s T> {
        items.get(self.below(items.len()))
    }

    /// One to `max` different items, in the order of the slice.
    fn some(&self, items: &[&str], max: usize) -> Vec<String> {
        let wanted = self.below(max).saturating_add(1).min(items.len());
        let mut places: Vec<_> = (0..items.len()).collect();
        while places.len() > wanted {
            places.remove(self.below(places.len()));
        }
        places.into_iter().filter_map(|place| items.get(place).copied().map(text_of)).collect()
    }

    /// One code of a list.
    fn one(&self, list: &str) -> String {
        let entries = self.lists.list(list).map(|list| list.entries()).unwrap_or_default();
        self.pick(entries).map(|code| code.code.clone()).unwrap_or_default()
    }

    /// One to `max` codes of a list.
    fn of_list(&self, list: &str, max: usize) -> Vec<String> {
        let entries = self.lists.list(list).map(|list| list.entries()).unwrap_or_default();
        let codes: Vec<_> = entries.iter().map(|code| code.code.as_str()).collect();
        self.some(&codes, max)
    }

    fn comune(&self, province: &str) -> String {
        let entries = self.lists.list("comune").map(|list| list.entries()).unwrap_or_default();
        let inside = |code: &&Code| code.parent.as_deref() == Some(province);
        let inside: Vec<_> = entries.iter().filter(inside).collect();
        self.pick(&inside).map(|code| code.code.clone()).unwrap_or_default()
    }

    /// A day at most `days` before another.
    fn days_before(&self, date: Date, days: usize) -> Date {
        let back = i64::try_from(self.below(days)).unwrap_or(0);
        date.saturating_sub(jiff::Span::new().days(back))
    }

    fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(draw(self.entropy)).into_uuid().to_string()
    }
}

fn text(item: &&str) -> String {
    text_of(item)
}

fn text_of(item: &str) -> String {
    item.to_owned()
}

fn month(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}
