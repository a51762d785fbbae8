//! Words that introduce a name or an address on pages about a company.

/// What a label introduces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Address,
    Name,
}

/// Words in front of an address, in lower case.
const ADDRESSES: &[&str] = &[
    // German.
    "anschrift",
    "adresse",
    "postanschrift",
    "firmensitz",
    "zentrale",
    "unsere adresse",
    "unsere anschrift",
    "adresse & kontakt",
    "adresse und kontakt",
    "sitz",
    "firmenanschrift",
    "geschäftsadresse",
    "hausanschrift",
    "standort",
    "geschäftsanschrift",
    "büro",
    "besucheradresse",
    "postadresse",
    "ladungsfähige anschrift",
    // English.
    "address",
    "our address",
    "postal address",
    "street address",
    "mailing address",
    "office address",
    "registered address",
    "registered office",
    "head office",
    "main office",
    "headquarters",
    "location",
    "visit us",
    "where to find us",
    "find us",
    "business address",
    "principal place of business",
    "physical address",
    "showroom",
    "office",
    "studio",
    // French.
    "siège social",
    "siege social",
    "siège",
    "adresse postale",
    "adresse du siège",
    "adresse du siège social",
    "notre adresse",
    "bureau",
    // Spanish, Portuguese, Catalan.
    "dirección",
    "direccion",
    "domicilio",
    "domicilio social",
    "domicilio fiscal",
    "dirección postal",
    "nuestra dirección",
    "sede social",
    "sede",
    "ubicación",
    "endereço",
    "endereco",
    "morada",
    "localização",
    "nosso endereço",
    "adreça",
    "domicili",
    "domicili social",
    // Italian.
    "indirizzo",
    "sede legale",
    "sede operativa",
    "sede legale e operativa",
    "dove siamo",
    "recapito",
    // Dutch.
    "adres",
    "bezoekadres",
    "postadres",
    "vestigingsadres",
    "kantooradres",
    "maatschappelijke zetel",
    "ons adres",
    "vestiging",
    // Polish, Czech, Slovak.
    "adres siedziby",
    "siedziba",
    "adres firmy",
    "adres korespondencyjny",
    "adres do korespondencji",
    "adresa",
    "sídlo",
    "sidlo",
    "sídlo firmy",
    "sídlo společnosti",
    "sídlo spoločnosti",
    "provozovna",
    "prevádzka",
    "adresa sídla",
    "fakturační adresa",
    // Hungarian, Romanian, Slovene, Croatian, Serbian, Bulgarian.
    "cím",
    "címünk",
    "székhely",
    "telephely",
    "levelezési cím",
    "sediu",
    "sediul social",
    "sediu social",
    "adresă",
    "punct de lucru",
    "naslov",
    "sedež",
    "sjedište",
    "sedište",
    "адрес",
    "седалище",
    "седалище и адрес на управление",
    "адрес на управление",
    "адреса",
    "седиште",
    // Russian, Ukrainian.
    "юридический адрес",
    "фактический адрес",
    "почтовый адрес",
    "наш адрес",
    "адрес офиса",
    "местонахождение",
    "юридична адреса",
    "наша адреса",
    "поштова адреса",
    "адрес места нахождения",
    // Nordic and Baltic.
    "adress",
    "besöksadress",
    "postadress",
    "besøksadresse",
    "besøgsadresse",
    "osoite",
    "käyntiosoite",
    "postiosoite",
    "heimilisfang",
    "aadress",
    "adrese",
    "juridiskā adrese",
    "adresas",
    "buveinė",
    "buveinės adresas",
    "registracijos adresas",
    // Greek, Turkish, Albanian.
    "διεύθυνση",
    "διευθυνση",
    "έδρα",
    "ταχυδρομική διεύθυνση",
    "merkez",
    "merkez adres",
    "adresimiz",
    "açık adres",
    "ofis adresi",
    "iş adresi",
    "adresa jonë",
    // Hebrew, Arabic, Persian.
    "כתובת",
    "כתובתנו",
    "العنوان",
    "عنوان",
    "عنواننا",
    "المقر الرئيسي",
    "المقر",
    "آدرس",
    "نشانی",
    // East and Southeast Asian.
    "住所",
    "所在地",
    "本社",
    "本社所在地",
    "本店所在地",
    "本店",
    "会社住所",
    "店舗住所",
    "アクセス",
    "地址",
    "公司地址",
    "联系地址",
    "聯絡地址",
    "办公地址",
    "주소",
    "본사",
    "소재지",
    "사업장 소재지",
    "회사주소",
    "ที่อยู่",
    "สำนักงานใหญ่",
    "ที่ตั้ง",
    "địa chỉ",
    "trụ sở",
    "trụ sở chính",
    "văn phòng",
    "alamat",
    "alamat kantor",
    "kantor pusat",
    "पता",
    "tirahan",
];

/// Words in front of a company name, in lower case.
const NAMES: &[&str] = &[
    "firma",
    "firmenname",
    "firmenwortlaut",
    "unternehmen",
    "name des unternehmens",
    "medieninhaber",
    "betreiber",
    "diensteanbieter",
    "anbieter",
    "company",
    "company name",
    "legal name",
    "registered name",
    "trading name",
    "operator",
    "raison sociale",
    "dénomination sociale",
    "denomination sociale",
    "éditeur",
    "editeur",
    "éditeur du site",
    "société",
    "dénomination",
    "razón social",
    "razon social",
    "denominación social",
    "denominacion social",
    "titular",
    "denominación",
    "empresa",
    "denominació social",
    "raó social",
    "razão social",
    "razao social",
    "denominação social",
    "nome empresarial",
    "ragione sociale",
    "denominazione",
    "denominazione sociale",
    "titolare",
    "bedrijfsnaam",
    "handelsnaam",
    "statutaire naam",
    "nazwa firmy",
    "pełna nazwa",
    "nazwa",
    "nazwa spółki",
    "obchodní firma",
    "název",
    "název firmy",
    "provozovatel",
    "obchodné meno",
    "názov",
    "prevádzkovateľ",
    "cégnév",
    "nom",
    "name",
    "nombre",
    "nome",
    "naam",
    "jméno",
    "meno",
    "imię i nazwisko",
    "nume",
    "navn",
    "namn",
    "nimi",
    "имя",
    "фио",
    "ф.и.о",
    "nom commercial",
    "nombre comercial",
    "nom de l'entreprise",
    "nom de la société",
    "nom de l’entreprise",
    "osoba prowadząca",
    "cég neve",
    "név",
    "üzemeltető",
    "denumire",
    "denumire firmă",
    "denumirea societății",
    "naziv",
    "naziv tvrtke",
    "naziv firme",
    "naziv podjetja",
    "фирма",
    "наименование",
    "полное наименование",
    "организация",
    "название организации",
    "юридическое лицо",
    "найменування",
    "повна назва",
    "firmanavn",
    "företag",
    "företagsnamn",
    "bolagsnamn",
    "yrityksen nimi",
    "yritys",
    "toiminimi",
    "επωνυμία",
    "εταιρική επωνυμία",
    "ünvan",
    "ticaret ünvanı",
    "ticari ünvan",
    "şirket ünvanı",
    "ticari unvan",
    "unvan",
    "会社名",
    "社名",
    "商号",
    "法人名",
    "販売業者",
    "運営会社",
    "事業者名",
    "屋号",
    "公司名称",
    "公司名稱",
    "公司",
    "企业名称",
    "회사명",
    "상호",
    "상호명",
    "법인명",
    "사업자명",
    "ชื่อบริษัท",
    "tên công ty",
    "công ty",
    "nama perusahaan",
    "اسم الشركة",
    "الشركة",
    "שם החברה",
    "nafn",
    "ettevõte",
    "ärinimi",
    "uzņēmums",
    "įmonė",
    "pavadinimas",
];

/// Longer texts in front of a colon are sentences.
const MAX_LABEL: usize = 60;

/// What the label of a line introduces, and the line without the label. A label ends with a colon, or is the whole
/// line. Chinese and Japanese labels also end at a space or at the symbol for a postal code.
pub(super) fn without_label(line: &str) -> (Option<Label>, &str) {
    let colon = line.char_indices().find(|(_, sign)| matches!(sign, ':' | '：'));
    let end = colon.filter(|(at, _)| *at <= MAX_LABEL * 2);
    if let Some((at, sign)) = end
        && let Some(label) = label(&line[..at])
    {
        return (Some(label), line[at + sign.len_utf8()..].trim());
    }
    if let Some(label) = label(line) {
        return (Some(label), "");
    }
    let is_wide = line.chars().next().is_some_and(|first| first >= '\u{3000}');
    let end = line
        .char_indices()
        .find(|(_, sign)| sign.is_whitespace() || matches!(sign, '〒' | '／' | '/'))
        .filter(|_| is_wide);
    if let Some((at, _)) = end
        && let Some(label) = label(&line[..at])
    {
        return (
            Some(label),
            line[at..].trim_start_matches([' ', '\u{3000}', '／', '/']),
        );
    }
    (None, line)
}

fn label(text: &str) -> Option<Label> {
    let text = text.trim_matches(|sign: char| !sign.is_alphanumeric() && !is_mark(sign));
    if text.is_empty() || text.chars().count() > MAX_LABEL {
        return None;
    }
    let text = text.to_lowercase();
    if ADDRESSES.contains(&text.as_str()) {
        Some(Label::Address)
    } else if NAMES.contains(&text.as_str()) {
        Some(Label::Name)
    } else {
        None
    }
}

/// Characters that end words in Thai and Indian scripts.
fn is_mark(sign: char) -> bool {
    matches!(sign, '\u{900}'..='\u{dff}' | '\u{e30}'..='\u{e4e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_taken_off_addresses_and_names() {
        for (line, label, rest) in [
            ("Anschrift: Hauptstraße 5", Some(Label::Address), "Hauptstraße 5"),
            ("Siège social : 4 rue X", Some(Label::Address), "4 rue X"),
            ("ADRES:", Some(Label::Address), ""),
            ("Address", Some(Label::Address), ""),
            ("住所：東京都", Some(Label::Address), "東京都"),
            ("所在地　〒100-0001", Some(Label::Address), "〒100-0001"),
            ("住所〒100-0001 東京都", Some(Label::Address), "〒100-0001 東京都"),
            ("Raison sociale : Dupont", Some(Label::Name), "Dupont"),
            ("会社名 株式会社アクメ", Some(Label::Name), "株式会社アクメ"),
            ("ที่อยู่: 12 ถนน", Some(Label::Address), "12 ถนน"),
            ("Tel: 1", None, "Tel: 1"),
            ("Adresse 5 und mehr", None, "Adresse 5 und mehr"),
        ] {
            assert_eq!(without_label(line), (label, rest), "{line}");
        }
    }
}
