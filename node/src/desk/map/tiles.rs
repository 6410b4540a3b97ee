//! One tile for each province, placed roughly as on a map: an honest picture, in which every
//! province is as large as any other.

/// A province's tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// ISTAT code.
    pub code: &'static str,
    /// The two letters by which everybody knows it.
    pub sigla: &'static str,
    /// From the west.
    pub column: u16,
    /// From the north.
    pub row: u16,
}

const fn tile(code: &'static str, sigla: &'static str, column: u16, row: u16) -> Tile {
    Tile { code, sigla, column, row }
}

/// All provinces of the list `province`.
pub(super) const TILES: [Tile; 107] = [
    tile("001", "TO", 0, 3),
    tile("002", "VC", 1, 3),
    tile("003", "NO", 2, 3),
    tile("004", "CN", 0, 5),
    tile("005", "AT", 1, 4),
    tile("006", "AL", 2, 4),
    tile("007", "AO", 0, 1),
    tile("008", "IM", 1, 6),
    tile("009", "SV", 2, 6),
    tile("010", "GE", 3, 6),
    tile("011", "SP", 4, 6),
    tile("012", "VA", 3, 2),
    tile("013", "CO", 4, 2),
    tile("014", "SO", 6, 1),
    tile("015", "MI", 4, 3),
    tile("016", "BG", 6, 2),
    tile("017", "BS", 7, 2),
    tile("018", "PV", 3, 4),
    tile("019", "CR", 5, 4),
    tile("020", "MN", 7, 4),
    tile("021", "BZ", 8, 0),
    tile("022", "TN", 8, 1),
    tile("023", "VR", 8, 3),
    tile("024", "VI", 8, 2),
    tile("025", "BL", 9, 1),
    tile("026", "TV", 9, 2),
    tile("027", "VE", 10, 3),
    tile("028", "PD", 9, 3),
    tile("029", "RO", 9, 4),
    tile("030", "UD", 11, 1),
    tile("031", "GO", 11, 2),
    tile("032", "TS", 12, 3),
    tile("033", "PC", 4, 5),
    tile("034", "PR", 5, 5),
    tile("035", "RE", 6, 5),
    tile("036", "MO", 7, 5),
    tile("037", "BO", 8, 5),
    tile("038", "FE", 9, 5),
    tile("039", "RA", 9, 6),
    tile("040", "FC", 9, 7),
    tile("041", "PU", 9, 8),
    tile("042", "AN", 10, 8),
    tile("043", "MC", 9, 9),
    tile("044", "AP", 10, 10),
    tile("045", "MS", 5, 6),
    tile("046", "LU", 5, 7),
    tile("047", "PT", 6, 7),
    tile("048", "FI", 6, 8),
    tile("049", "LI", 5, 9),
    tile("050", "PI", 5, 8),
    tile("051", "AR", 7, 8),
    tile("052", "SI", 6, 9),
    tile("053", "GR", 6, 10),
    tile("054", "PG", 8, 9),
    tile("055", "TR", 8, 10),
    tile("056", "VT", 7, 11),
    tile("057", "RI", 8, 11),
    tile("058", "RM", 7, 12),
    tile("059", "LT", 8, 13),
    tile("060", "FR", 8, 12),
    tile("061", "CE", 9, 14),
    tile("062", "BN", 10, 14),
    tile("063", "NA", 9, 15),
    tile("064", "AV", 10, 15),
    tile("065", "SA", 10, 16),
    tile("066", "AQ", 9, 11),
    tile("067", "TE", 10, 11),
    tile("068", "PE", 10, 12),
    tile("069", "CH", 11, 12),
    tile("070", "CB", 10, 13),
    tile("071", "FG", 11, 13),
    tile("072", "BA", 13, 14),
    tile("073", "TA", 13, 15),
    tile("074", "BR", 14, 15),
    tile("075", "LE", 14, 16),
    tile("076", "PZ", 11, 15),
    tile("077", "MT", 12, 15),
    tile("078", "CS", 12, 17),
    tile("079", "CZ", 13, 18),
    tile("080", "RC", 12, 19),
    tile("081", "TP", 7, 19),
    tile("082", "PA", 8, 19),
    tile("083", "ME", 11, 19),
    tile("084", "AG", 8, 20),
    tile("085", "CL", 9, 20),
    tile("086", "EN", 10, 20),
    tile("087", "CT", 11, 20),
    tile("088", "RG", 10, 21),
    tile("089", "SR", 11, 21),
    tile("090", "SS", 1, 12),
    tile("091", "NU", 2, 13),
    tile("092", "CA", 2, 14),
    tile("093", "PN", 10, 1),
    tile("094", "IS", 9, 13),
    tile("095", "OR", 1, 13),
    tile("096", "BI", 1, 2),
    tile("097", "LC", 5, 2),
    tile("098", "LO", 4, 4),
    tile("099", "RN", 10, 7),
    tile("100", "PO", 7, 7),
    tile("101", "KR", 13, 17),
    tile("102", "VV", 12, 18),
    tile("103", "VB", 2, 1),
    tile("108", "MB", 5, 3),
    tile("109", "FM", 10, 9),
    tile("110", "BT", 12, 14),
    tile("111", "SU", 1, 14),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use raccordo_core::codes::CodeLists;

    use super::*;

    #[test]
    fn every_province_has_one_place() {
        let lists = CodeLists::builtin();
        let listed: BTreeSet<&str> =
            lists.list("province").unwrap().entries().iter().map(|it| it.code.as_str()).collect();
        let codes: BTreeSet<&str> = TILES.iter().map(|tile| tile.code).collect();
        assert_eq!(codes, listed);
        let places: BTreeSet<_> = TILES.iter().map(|tile| (tile.column, tile.row)).collect();
        assert_eq!(places.len(), TILES.len());
        let sigle: BTreeSet<_> = TILES.iter().map(|tile| tile.sigla).collect();
        assert_eq!(sigle.len(), TILES.len());
    }
}
