//! Legal forms in the names of companies, by country.

use std::sync::LazyLock;

use regex::Regex;

/// Legal forms after a name, in upper or lower case; longer ones come before their prefixes.
const BEHIND: &[&str] = &[
    // Germany, Austria, Switzerland.
    r"gGmbH|gUG(?:\s?\(haftungsbeschränkt\))?|eGbR|eGen|VVaG|KlG",
    r"GmbH\s?(?:&|und|u\.)\s?Co\.?\s?(?:KGaA|KG|OHG)",
    r"(?:SE|AG)\s?&\s?Co\.?\s?(?:KGaA|KG)",
    r"Ges\.?\s?m\.?\s?b\.?\s?H\.?(?:\s?&\s?Co\.?\s?KG)?",
    r"GmbH",
    r"Gesellschaft\s(?:m\.\s?b\.\s?H\.|mit\sbeschränkter\sHaftung)",
    r"GesbR|FlexCo|Einzelunternehmen",
    r"mbH",
    r"UG\s?\(haftungsbeschränkt\)(?:\s?&\s?Co\.?\s?KG)?",
    r"KGaA",
    r"PartG(?:\s?mbB)?",
    r"e\.\s?V\.",
    r"e\.\s?K(?:fr|fm)?\.",
    r"e\.\s?U\.",
    // English.
    r"\(?Pty\.?\)?\sLtd\.?",
    r"Pty\.?\sLimited",
    r"Pte\.?\sLtd\.?",
    r"(?:Pvt\.?|Private)\s(?:Ltd\.?|Limited)",
    r"Co\.?,?\s?(?:Ltd\.?|Limited)",
    r"Company,?\sLimited",
    r"(?:Sdn\.?\s)?Bhd\.?|Berhad",
    r"Ltd\.?\s?Şt[iİ]\.?",
    r"Ltd\.?(?:\s\(UK\))?",
    r"Limited(?:\sŞirketi|\sLiability\sCompany)?",
    r"P?LLC",
    r"LLP",
    r"L\.L\.[CP]\.?",
    r"Inc(?:\.|orporated)?",
    r"Corp(?:\.|oration)?",
    r"P\.?L\.?C\.?",
    r"K\.K\.",
    r"P\.\s?C\.",
    r"Ltée\.?",
    r"FZ-?(?:LLC|E|CO)",
    r"Limitée|S\.E\.N\.C\.(?:R\.L\.)?",
    r"Teoranta|Cyf(?:yngedig)?\.?",
    r"L\.P\.|P\.A\.",
    r"(?:K\.S\.C|B\.S\.C|Q\.(?:P\.)?S\.C|P\.J\.S\.C|S\.A\.O\.[GC]|S\.A\.L|S\.P\.C)\.?",
    r"Joint\sStock\sCompany",
    r"W\.?L\.?L\.?",
    // French.
    r"S\.?\s?à\.?\s?r\.?\s?l\.?",
    r"S\.A\.R\.L\.?",
    r"E\.U\.R\.L\.?",
    r"S\.A\.S\.(?:U\.)?",
    r"S\.C\.I\.",
    r"S\.N\.C\.",
    r"S\.C\.(?:A|S|M|R\.L)\.",
    // Italian.
    r"S\.\s?c\.\s?a\.?\s?r\.\s?l\.?|Scarl",
    r"(?:A\.\s?S\.\s?D|S\.\s?S\.\s?D|A\.\s?P\.\s?S)\.",
    r"Società\s(?:Semplice|Agricola|Cooperativa)(?:\sSociale)?",
    r"S\.\s?r\.\s?l\.?(?:\s?s\.?|\s?u\.?)?(?:\sunipersonale)?",
    r"Srls?(?:\sunipersonale)?",
    r"S\.?p\.A\.?",
    r"S\.\s?p\.\s?A\.?",
    r"S\.\s?n\.\s?c\.?",
    r"S\.\s?a\.\s?s\.?",
    r"Soc(?:ietà|\.)\sCoop(?:erativa|\.)?",
    r"Società\s(?:a\sResponsabilità\sLimitata|per\sAzioni)",
    // Spanish.
    r"S\.?\s?(?:A\.?\s?P\.?\s?I|A\.?\s?B|A|de\sR\.?\s?L)\.?\sde\sC\.?\s?V\.?",
    r"S\.\s?L\.\s?(?:U\.?|P\.?|L\.?|N\.\s?E\.?)?",
    r"S\.\s?A\.\s?(?:U\.?|C\.?)?",
    r"S\.\s?Coop\.?",
    r"Sociedad\s(?:de\sResponsabilidad\s)?(?:Limitada|Anónima)",
    r"Limitada",
    r"C\.\s?[AB]\.",
    r"E\.I\.R\.L\.?",
    r"S\.\s?C\.\s?P\.",
    r"(?:y|e)\sC[ií]a\.?(?:,?\sLtda\.?)?",
    // Portuguese.
    r"Unipessoal,?\sLda\.?",
    r"Lda\.?",
    r"Ltda\.?(?:\s?-?\s?(?:ME|EPP))?",
    r"EIRELI(?:\s?-?\s?(?:ME|EPP))?",
    r"S/A",
    r"C\.\s?R\.\s?L\.",
    // Dutch and Belgian.
    r"B\.\s?V\.(?:B\.A\.)?",
    r"N\.\s?V\.",
    r"V\.O\.F\.",
    r"VOF",
    r"Coöperatie(?:f)?\sU\.A\.|U\.A\.",
    r"BVBA|CVBA|VZW|ASBL|SPRL|CommV",
    // Polish.
    r"sp(?:ółka|\.)\s?z\s?o(?:graniczoną\sodpowiedzialnością|\.\s?o\.?)(?:\s?sp(?:ółka|\.)\s?(?:k(?:omandytowa|\.)|j(?:awna|\.)))?",
    r"sp\.\s?[jkp]\.",
    r"P\.\s?S\.\s?A\.|S\.\s?K\.\s?A\.",
    r"spółka\s(?:cywilna|akcyjna|jawna|komandytowa|partnerska)",
    r"s\.\s?c\.",
    // Czech, Slovak.
    r"(?:spol\.\s?)?s\.?\s?r\.?\s?o\.",
    r"a\.\s?s\.",
    r"v\.\s?o\.\s?s\.",
    r"k\.\s?s\.",
    r"z\.\s?[sú]\.",
    r"o\.\s?p\.\s?s\.|j\.\s?s\.\s?a\.|o\.\s?z\.",
    // Hungarian.
    r"(?:Korlátolt\sFelelősségű\sTársaság|Betéti\sTársaság)",
    r"Kft\.?|Zrt\.?|Nyrt\.?|Bt\.|Kkt\.?",
    // Romanian.
    r"S\.\s?R\.\s?L\.?(?:-D)?",
    // Slovene, Croatian, Serbian, Bosnian.
    r"j?\.?d\.\s?o\.\s?o\.?",
    r"д\.\s?о\.\s?о\.?",
    r"d\.\s?d\.",
    r"d\.\s?n\.\s?o\.",
    r"s\.\s?p\.",
    r"k\.\s?d\.",
    // Turkish.
    r"A\.?\s?Ş\.?",
    r"Anonim\sŞirketi",
    r"Şt[iİ]\.?",
    // Nordic and Baltic.
    r"Aktiebolag|Handelsbolag|Kommanditbolag|Osakeyhtiö|Aktieselskab|Aksjeselskap",
    r"ApS|Oyj?(?:\sAb)?|Tmi|e?hf\.|ehf|OÜ|VšĮ",
    r"A/S|I/S|K/S|P/S",
    r"ohf\.|slf\.|a\.\s?m\.\s?b\.\s?a\.?|ek\.?\s?för\.?|ekonomisk\sförening",
    // Greek.
    r"Α\.\s?(?:Β\.\s?)?Ε\.(?:\s?(?:Β\.\s?)?Ε\.)?",
    r"Ε\.\s?Π\.\s?Ε\.",
    r"(?:Μ\.\s?)?Ι\.\s?Κ\.\s?Ε\.",
    r"[ΟΕ]\.\s?Ε\.",
    r"Λτδ\.?|Λίμιτεδ",
    // Albanian, Armenian, Uzbek, Mongolian.
    r"sh\.\s?p\.\s?k\.?|sh\.\s?a\.",
    r"ՍՊԸ|ՓԲԸ|ԲԲԸ|MChJ|МЧЖ|ХХК",
    // Indian languages.
    r"प्रा\.?\s?लि\.?|प्राइवेट\sलिमिटेड",
    // Arabic, Hebrew.
    r#"בע["״]מ|\(?ע["״]ר\)?"#,
    r"ذات\s(?:ال)?مسؤولية\s(?:ال)?محدودة|ش\.?\s?ذ\.\s?م\.\s?م\.?",
    r"\(?(?:سهامی\s(?:خاص|عام)|با\sمسئولیت\sمحدود)\)?",
    r"(?:ذ|ش)\.\s?م\.\s?[ملكحبق]\.?(?:\s?م\.?)?",
    r"Tbk\.?",
    r"จำกัด(?:\s?\(มหาชน\))?",
];

/// Legal forms after a name that are ordinary words or letters when written in lower case.
const BEHIND_IN_CAPITALS: &str = "AG|KG|OHG|e\\.\\s?G(?:en)?\\.|GbR|GBR|OG|eG|EG|SE|UG|ARGE|SA|SAS|SASU|SARL|EURL|SNC|SCOP|SCI|SL|SLU|SLP|SLL|SAU|SAC|SRL|SRLS|SpA|\
    Snc|Sas|Sagl|Sarl|BV|NV|VOF|AS|ASA|AB|HB|KB|ANS|ENK|UAB|SIA|DMCC|PJSC|PSC|EOOD|OOD|ЕООД|ООД|АД|ЕАД|ΑΕ|ΕΠΕ|ΙΚΕ|ΟΕ|ΕΕ|CIC|Sàrl|KK|\
    DOO|ДОО|ДООЕЛ|IVS|Ky|PFA|MMC|QSC|ASC|CLG|DAC|ULC|LLLP|PBC|NPC|JSC|KSC|BSC|QPSC|SAOG|SAOC|SPC|SCCL|SCP|SLNE|SAPI|\
    EIRL|CRL|ONLUS|SCA|SCRL|SCSp|AMBA|SMBA|FMBA|MTÜ|ΑΕΒΕ|ΑΒΕΕ|ΑΒΕ|ΑΕΕ|IKE|EPE|SHPK|SUARL|SARLU|PLT|EAD|АДСИЦ";

/// Legal forms in front of a name, followed by a space.
const IN_FRONT: &[&str] = &[
    r"(?-i:S\.?A\.?R\.?L\.?|S\.?A\.?S\.?U?\.?|E\.?U\.?R\.?L\.?|S\.?C\.?I\.?|S\.?N\.?C\.?|SCOP|SELARL|SELARLU|SELAS|SELASU|SELAFA|SCP|SCM|SCEA|SCIC|EARL|EIRL|GAEC|GIE|SPRL|ASBL|SUARL|SARLU)",
    r"(?-i:PT\.?|CV\.)",
    r"(?-i:ООО|ОАО|ЗАО|ПАО|НАО|АО|ТОО|ОДО|ЧУП|УП|ТОВ|ПрАТ|ПАТ|ПП|ФОП|ИП|АНО|ЕТ|ФГУП|ГБУ|МУП|АТ|ОсОО|ТзОВ|ТЗОВ|СООО|ИООО|ЧТУП|КФХ|ФГБУ|ФГБОУ|ГУП|ЖШС|АҚ|МЧЖ|ҶДММ)",
    r"(?-i:PPHU|PHU|FHU|Oy|Tmi|Stichting|Vereniging|Coöperatie|შპს|სს|Yayasan|Koperasi|UD\.)",
    r"(?:Общество с ограниченной ответственностью|Товариство з обмеженою відповідальністю|Индивидуальный предприниматель)",
    r"(?-i:UAB|SIA|OÜ|VšĮ)",
    r"Công ty (?:TNHH|Cổ phần|CP)(?: MTV| Một thành viên)?",
    r"(?:Doanh nghiệp tư nhân|DNTN|Hộ kinh doanh)",
    r"(?:บริษัท|ห้างหุ้นส่วน(?:จำกัด|สามัญ)|บจก\.?|บมจ\.?|หจก\.?|ບໍລິສັດ)",
    r"(?:شركة|مؤسسة|شرکت)",
    r"(?:주식회사|유한회사|유한책임회사)",
];

/// Legal forms in scripts without spaces, in front of a name or after it.
const WITHOUT_BLANK: &str = "株式会社|有限会社|合同会社|合資会社|合名会社|一般社団法人|公益社団法人|一般財団法人|公益財団法人|医療法人(?:社団|財団)?|\
    社会福祉法人|学校法人|宗教法人|特定非営利活動法人|NPO法人|税理士法人|弁護士法人|司法書士法人|行政書士法人|社会保険労務士法人|土地家屋調査士法人|監査法人|独立行政法人|\
    国立大学法人|農事組合法人|特許業務法人|生活協同組合|有限責任事業組合|協同組合|사단법인|재단법인|의료법인|학교법인|농업회사법인|㈱|㈲|[(（][株有][)）]|주식회사|유한회사|㈜|[(（][주유][)）]";
const BEHIND_WITHOUT_BLANK: &str = "股份有限公司|有限责任公司|有限責任公司|有限公司|股份公司|集团公司|事務所有限公司|工作室|企業社|商行|合伙企业|律师事务所|律師事務所|会计师事务所|會計師事務所";

/// A regular expression for a company name within a text; `first` matches the name's first character.
pub(super) fn name_pattern(first: &str, most: usize) -> String {
    let behind = BEHIND.join("|");
    let in_front = IN_FRONT.join("|");
    let word = r"[^\s:：;；!！?？|｜©,，、。\n]";
    format!(
        "(?:{first}[^:;!?|©·•\n]{{0,{most}}}?[\\s,](?:(?i:{behind})|{BEHIND_IN_CAPITALS})\
        |(?i:{in_front})\\s(?-i:[\\p{{Lu}}\\p{{Lo}}0-9«\"“„][^:;!?|©·•\n,]{{1,60}})\
        |(?:{WITHOUT_BLANK})\\s?{word}{{1,40}}(?:\\s?{word}{{1,20}}(?:支店|本社|営業所))?\
        |(?:[A-Za-z0-9&.'-]{{1,30}}\\s){{0,4}}{word}{{1,40}}\\s?(?:{WITHOUT_BLANK}|{BEHIND_WITHOUT_BLANK}))"
    )
}

/// Whether a text contains a legal form at all. Only then is the expensive [`name_pattern`] worth running.
pub(super) fn names_form(text: &str) -> bool {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        let behind = BEHIND.join("|");
        let in_front = IN_FRONT.join("|");
        let pattern = format!(
            "[\\s,](?:(?i:{behind})|{BEHIND_IN_CAPITALS})|(?i:{in_front})\\s|{WITHOUT_BLANK}|{BEHIND_WITHOUT_BLANK}"
        );
        Regex::new(&pattern).expect("the pattern is constant")
    });
    FORM.is_match(text)
}

/// A name without the text after it on the same line, if its legal form is in front and so does not end the name:
/// `SARL Dupont - Tous droits réservés`.
pub(super) fn without_rest(name: &str) -> &str {
    static FRONT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!("^(?i:{})\\s", IN_FRONT.join("|"))).expect("the pattern is constant")
    });
    static REST: LazyLock<Regex> = LazyLock::new(|| {
        let rights = "all rights|tous droits|alle rechte|все права|усі права|всі права|всички права|visos teisės|visas tiesības|kõik õigused|\
            hak cipta|bản quyền|สงวน|جميع الحقوق|all right|mentions légales|copyright";
        // Registration details of a company.
        let register = r"au capital|à capital|sise?\s|dont le|immatricul|inscrite?\s|située?\s|domicilié|enregistrée?\s|représentée?\s";
        let elsewhere = "зарегистр|расположен|в лице|beralamat|berkedudukan|có địa chỉ|có trụ sở|ตั้งอยู่";
        // Initials are a single letter with a dot.
        Regex::new(&format!(
            r"\s+[-–—·•]\s|[\p{{L}}\p{{N}}»”]{{2}}(\.\s)|\s(?i:{rights}|{register}|{elsewhere})"
        ))
        .expect("the pattern is constant")
    });
    let Some(front) = FRONT.find(name) else {
        return name;
    };
    let rest = REST.captures(&name[front.end()..]);
    let rest = rest.and_then(|rest| rest.get(1).or_else(|| rest.get(0)));
    let end = rest.map_or(name.len(), |rest| front.end() + rest.start());
    name[..end].trim()
}

/// A name without the word for a company that Romanian names have in front, besides the form at the end: `S.C. ACME
/// S.R.L.`.
pub(super) fn without_romanian(name: &str) -> &str {
    let words = ["S.C. ", "SC ", "S.C ", "S. C. "];
    words
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .unwrap_or(name)
}

/// The first word of a name that is not its legal form: what the company is called.
pub(super) fn core(name: &str) -> &str {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        let in_front = IN_FRONT.join("|");
        Regex::new(&format!("^(?:(?i:{in_front})\\s|{WITHOUT_BLANK})")).expect("the pattern is constant")
    });
    let start = FORM.find(name).map_or(0, |form| form.end());
    let mut words = name[start..].split_whitespace();
    words.next().unwrap_or_default()
}

/// A name without the legal form at its end, in scripts without spaces: `阿克米有限公司`.
pub(super) fn without_joined_form(name: &str) -> &str {
    let mut forms = BEHIND_WITHOUT_BLANK.split('|').chain(WITHOUT_BLANK.split('|'));
    forms.find_map(|form| name.strip_suffix(form)).unwrap_or(name)
}

/// Whether a text is a company name with a legal form.
pub(in crate::scanner::page) fn is_legal_name(name: &str) -> bool {
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!("^{}$", name_pattern(r"[\p{L}0-9]", 90))).expect("the pattern is constant")
    });
    names_form(name) && WHOLE.is_match(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Company names with the legal forms of all countries.
    const NAMES: &[&str] = &[
        "Acme GmbH",
        "ACME GMBH",
        "Acme Bau GmbH & Co. KG",
        "Acme UG (haftungsbeschränkt)",
        "Müller OG",
        "Acme e.U.",
        "Acme SA",
        "Acme Sàrl",
        "SARL Dupont & Fils",
        "SAS Boulangerie Martin",
        "Dupont S.A.R.L.",
        "Acme S.r.l.",
        "Acme Solutions Srl",
        "ACME TÜM BİLİŞİM LTD.ŞTİ.",
        "Acme AŞ",
        "Acme C.A.",
        "Acme Aktiebolag",
        "ACME S.R.L.",
        "Acme S.p.A.",
        "Acme Abogados SLP",
        "Acme, S.L.",
        "Acme S.A. de C.V.",
        "Padaria Acme EIRELI",
        "Acme Ltda - ME",
        "Acme, Lda.",
        "Acme B.V.",
        "Acme Sp. z o.o.",
        "ACME SP. Z O.O.",
        "Acme sp. z o.o. sp. k.",
        "Acme s.r.o.",
        "Acme, spol. s r.o.",
        "Acme Kft.",
        "SC Acme SRL",
        "Acme d.o.o.",
        "Акме ООД",
        "Ακμή Α.Ε.",
        "Ακμή ΙΚΕ",
        "Acme Mobilya A.Ş.",
        "Acme Ltd. Şti.",
        "ООО «Акме»",
        "ТОВ «Акме»",
        "PT Acme Indonesia",
        "PT. Acme Jaya",
        "UAB Acme",
        "Acme ApS",
        "Acme Oy",
        "Acme AB",
        "Acme Pty Ltd",
        "Acme (Pty) Ltd",
        "Acme Pvt. Ltd.",
        "Acme Co., Ltd.",
        "Acme Sdn. Bhd.",
        "Acme FZE",
        "株式会社アクメ",
        "アクメ株式会社",
        "有限会社アクメ",
        "（株）アクメ",
        "주식회사 아크메",
        "㈜아크메",
        "(주)아크메",
        "上海阿克米有限公司",
        "Acme Interior Design株式会社",
        "บริษัท แอคมี จำกัด",
        "Công ty TNHH Acme",
        "אקמה בע\"מ",
        "Acme, Inc.",
        "Acme Gesellschaft m.b.H.",
        "Acme FlexCo",
        "Acme Berhad",
        "Acme Sociedad Limitada",
        "Acme, P.C.",
        "Acme DOO",
        "Акме ДООЕЛ",
        "Acme sh.p.k.",
        "Acme hf.",
        "Stichting Acme",
        "Tmi Acme",
        "SELARL Dupont",
        "사단법인 아크메",
        "Acme Sdn Bhd",
        "Acme Cyf",
        "Acme DAC",
        "Acme S.A.L.",
        "Acme K.S.C.",
        "Acme S.c.a.r.l.",
        "Acme A.S.D.",
        "Acme S.A.B. de C.V.",
        "Acme y Cía. Ltda.",
        "Acme P.S.A.",
        "Acme spółka cywilna",
        "Acme o.p.s.",
        "Acme k.d.",
        "Acme a.m.b.a.",
        "Acme ekonomisk förening",
        "Ακμή Λτδ",
        "Акме ХХК",
        "Акмэ МЧЖ",
        "ОсОО «Акме»",
        "ТзОВ «Акме»",
        "Acme JSC",
        "Acme ULC",
        "SPRL Dupont",
        "Hộ kinh doanh Acme",
        "หจก. แอคมี",
        "司法書士法人アクメ",
        "阿克米律師事務所",
        "Acme Genossenschaft eGen",
    ];

    #[test]
    fn companies_of_all_countries_are_known_by_their_forms() {
        for name in NAMES {
            assert!(is_legal_name(name), "{name}");
        }
        for name in [
            "Acme",
            "Acme as",
            "We are se",
            "Unlimited fun",
            "Acme Tools and more",
            "Das ist ag",
            "Oberst a.D.",
            "Time of day",
            "Download as pdf",
            "We say da",
        ] {
            assert!(!is_legal_name(name), "{name}");
        }
    }
}
