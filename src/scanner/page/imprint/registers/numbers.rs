//! The register and tax numbers of the world: how pages introduce them, and their formats.

use super::check_digits::{britain, estonia, latvia};

/// A kind of number by which a register or a tax office identifies a company.
pub(super) struct Kind {
    /// The label of the number in the findings.
    pub(super) label: &'static str,
    /// How pages introduce it, and its format: the first group that matches is the number. The words in front make it
    /// safe to take from running text. Words whose first letters are not ASCII match only in the case written here.
    pub(super) pattern: &'static str,
    /// Checks the digits against each other, if the words in front are not specific enough.
    pub(super) is_right: fn(&str) -> bool,
}

const fn kind(label: &'static str, pattern: &'static str) -> Kind {
    checked(label, pattern, |_| true)
}

const fn checked(label: &'static str, pattern: &'static str, is_right: fn(&str) -> bool) -> Kind {
    Kind {
        label,
        pattern,
        is_right,
    }
}

/// All kinds: first those of the European Union, then by country.
pub(super) const KINDS: &[Kind] = &[
    kind(
        "VAT",
        r"(?i:VAT|USt\.?|Umsatzsteuer|UID|MwSt|TVA|P\.? ?IVA|partita iva|IVA|BTW|moms|NIP|DIČ|DPH|CIF|NIF|Y-tunnus|ALV-|KMKR|PVM|PVN|DDV|davčna|PDV)[^\n]{0,60}?(?-u:\b)((?:ATU[0-9]{8}|(?:DE|EE|EL|PT)(?: ?[0-9]){9}|BE ?[01]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}|FR ?[0-9A-Z]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|IE ?[0-9][0-9A-Z][0-9]{5}[A-Z]{1,2}|ES[ -]?[0-9A-Z][0-9]{7}[0-9A-Z]|CY ?[0-9]{8}[A-Z]|GB ?[0-9]{3} ?[0-9]{4} ?[0-9]{2}(?: ?[0-9]{3})?|NL ?[0-9]{4}\.?[0-9]{2}\.?[0-9]{3}\.?B\.?[0-9]{2}|PL ?[0-9]{3}-[0-9]{3}-[0-9]{2}-[0-9]{2}|(?:CZ|LT|LV|BG|RO|HR|PL|SE|DK|FI|HU|LU|MT|SI|SK|IT)[ -]?[0-9]{7,12}|CHE-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}))(?-u:\b)",
    ),
    kind(
        "VAT",
        r"(?:ДДС|ЗДДС)[^\n]{0,30}?(?-u:\b)(BG ?[0-9]{9,10})(?-u:\b)",
    ),
    // Germany.
    kind(
        "Register",
        r"(?-u:\b)(HR ?[AB]:? ?(?:Nr\.?:? ?)?(?:[0-9]{1,3} [0-9]{3}|[0-9]{1,6})(?: ?[A-Z](?-u:\b))?)(?-u:\b)",
    ),
    kind(
        "Register",
        r"(?i:(?:vereins|partnerschafts|genossenschafts|gesellschafts)register|registergericht|amtsgericht)[^\n]{0,60}(?-u:\b)((?:VR|PR|GnR|GsR) ?(?:Nr\.? ?)?[0-9]{2,6})(?-u:\b)",
    ),
    // Austria.
    kind(
        "Register",
        r"(?:(?-u:\b)(?i:Firmenbuch(?:nummer)?|FN)(?-u:\b)[^\n0-9]{0,20}|(?-u:\b)FN)([0-9]{5,6} ?[a-z])(?-u:\b)",
    ),
    kind(
        "ZVR",
        r"(?-u:\b)ZVR(?:-?(?:Zahl|Nr\.?|Nummer))?[^\n0-9]{0,6}([0-9][0-9 ]{6,12}[0-9])(?-u:\b)",
    ),
    // Switzerland and Liechtenstein: nothing else has these formats.
    kind("Register", r"(?-u:\b)(CHE-?[0-9]{3}\.[0-9]{3}\.[0-9]{3})(?-u:\b)"),
    kind(
        "Register",
        r"(?-u:\b)(CH-[0-9]{3}\.[0-9]\.[0-9]{3}\.[0-9]{3}-[0-9])(?-u:\b)",
    ),
    kind(
        "Register",
        r"(?-u:\b)(FL-[0-9]{4}\.[0-9]{3}\.[0-9]{3}-[0-9])(?-u:\b)",
    ),
    // France, Belgium, Luxembourg, the Netherlands.
    kind(
        "SIRET",
        r"(?i:siret)[^\n0-9]{0,20}([0-9]{3} ?[0-9]{3} ?[0-9]{3} ?[0-9]{5})(?-u:\b)",
    ),
    kind(
        "SIREN",
        r"(?i:siren|(?-u:\b)RCS(?-u:\b))[^\n0-9]{0,25}([0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    kind(
        "RCS",
        r"(?-u:\b)R\.?C\.?S\.?(?: de)? (?:Luxembourg|Luxemburg)[^\n0-9A-Za-z]{0,6}([A-J] ?[0-9]{2,6})(?-u:\b)",
    ),
    kind(
        "Enterprise number",
        r"(?:(?i:ondernemingsn(?:r\.?|ummer)|(?:n[°º]|num[ée]ro) d['’]entreprise)|(?-u:\b)KBO(?-u:\b)|(?-u:\b)BCE(?-u:\b))[^\n0-9]{0,12}?((?:BE ?)?[01]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3})(?-u:\b)",
    ),
    kind(
        "KvK",
        r"(?i:kvk|k\.v\.k\.|kamer van koophandel)[^\n0-9]{0,20}([0-9]{8})(?-u:\b)",
    ),
    // Italy, Spain, Portugal.
    kind(
        "P.IVA",
        r"(?i:p\.? ?iva|partita iva)[^\n0-9]{0,15}([0-9]{11})(?-u:\b)",
    ),
    kind(
        "REA",
        r"(?-u:\b)R\.?E\.?A\.?(?-u:\b|:| )[^\n0-9A-Za-z]{0,4}(?:(?:n\.?|nr\.?|n°)[^\n0-9A-Za-z]{0,3})?([A-Z]{2} ?[-–/]? ?[0-9]{5,7})(?-u:\b)",
    ),
    kind(
        "CIF",
        r"(?-u:\b)(?:CIF|NIF|C\.I\.F|N\.I\.F)(?-u:\b)[^\n0-9A-Z]{0,6}([A-Z][- ]?[0-9]{7}[0-9A-Z]|[0-9]{8}-?[A-Z])(?-u:\b)",
    ),
    kind(
        "NIF",
        r"(?-u:\b)(?:NIPC|NIF)(?-u:\b)[^\n0-9A-Za-z]{0,6}((?:PT ?)?[125689][0-9]{2} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    // Britain and Ireland. Other registers also number people and firms ("FCA registered no. 718293"). A text that
    // does not mention a company must have a number with eight characters, as companies have, or name the country.
    kind(
        "Company number",
        r"(?i:company (?:registration )?(?:number|no\.?|nr\.?)|company reg(?:istration|\.)? ?(?:number|no\.?|nr\.?)|registered company(?: number| no\.?)?|CRO (?:number|no\.?))[^\n0-9A-Z]{0,6}((?:SC|NI|OC|SO|NC)?[0-9]{5,8})(?-u:\b)",
    ),
    kind(
        "Company number",
        r"(?i:registered|incorporated|registration) (?i:in (?:England|Wales|Scotland|Northern Ireland|Ireland|the Republic of Ireland|the United Kingdom|the UK)(?:(?: and | & |, )(?:Wales|Scotland|Northern Ireland))*)[^\n0-9A-Za-z]{0,4}(?i:(?:with |under )?(?:company )?(?:registration |reg\.? )?(?:number|no\.?|nr\.?)?)[^\n0-9A-Za-z]{0,4}((?:SC|NI|OC|SO|NC)[0-9]{6}|[0-9]{5,8})(?-u:\b)",
    ),
    kind(
        "Company number",
        r"(?i:registered (?:number|no\.?|nr\.?)|(?-u:\b)reg\.? (?:number|no\.?))[^\n0-9A-Z]{0,4}((?:SC|NI|OC|SO|NC)[0-9]{6}|0[0-9]{7})(?-u:\b)",
    ),
    checked(
        "VAT",
        r"(?-u:\b)(?i:VAT (?:registration |reg\.? )?(?:number|no\.?|nr\.?))[^\n0-9A-Za-z]{0,4}([0-9]{3} ?[0-9]{4} ?[0-9]{2})(?-u:\b)",
        britain,
    ),
    // Northern Europe.
    kind(
        "CVR",
        r"(?-u:\b)CVR(?-u:\b)[^\n0-9]{0,12}([0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2})(?-u:\b)",
    ),
    kind(
        "Organisation number",
        r"(?i:org(?:anisations|anisasjons)?\.? ?-?(?:nr|nummer)\.?)[^\n0-9]{0,6}([0-9]{6}-[0-9]{4}|[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    kind(
        "Y-tunnus",
        r"(?i:y-tunnus)[^\n0-9A-Za-z]{0,6}([0-9]{7}-[0-9])(?-u:\b)",
    ),
    // The numbers of people begin with a day up to 31.
    kind(
        "Kennitala",
        r"(?-u:\b)(?i:kennitala|kt\.)[^\n0-9A-Za-z]{0,4}([4-7][0-9]{5}[- ]?[0-9]{4})(?-u:\b)",
    ),
    kind(
        "Registrikood",
        r"(?i:registrikood|reg(?:istri|\.) ?kood|äriregistri kood)[^\n0-9]{0,6}([0-9]{8})(?-u:\b)",
    ),
    checked(
        "Registrikood",
        r"(?-u:\b)(?i:reg(?:istry)?\.? ?(?:nr|no|code)\.?)[^\n0-9A-Za-z]{0,4}([1789][0-9]{7})(?-u:\b)",
        estonia,
    ),
    kind(
        "Reģ. Nr.",
        r"(?:Reģ|reģ|REĢ|eģistrācijas|EĢISTRĀCIJAS)[^\n0-9]{0,25}([0-9]{11})(?-u:\b)",
    ),
    checked(
        "Reģ. Nr.",
        r"(?-u:\b)(?i:reg(?:istration|\.)? ?(?:nr|no|number)\.?)[^\n0-9A-Za-z]{0,4}([459]0[0-9]{9})(?-u:\b)",
        latvia,
    ),
    kind(
        "Įmonės kodas",
        r"(?:monės kod|MONĖS KOD|Įm\. ?kod|įm\. ?kod|Juridinio asmens kod|juridinio asmens kod)[^\n0-9]{0,8}([0-9]{9}|[0-9]{7})(?-u:\b)",
    ),
    // Central and south-eastern Europe.
    kind(
        "NIP",
        r"(?-u:\b)NIP(?-u:\b)[^\n0-9]{0,6}([0-9]{3}-?[0-9]{3}-?[0-9]{2}-?[0-9]{2})(?-u:\b)",
    ),
    kind("KRS", r"(?-u:\b)KRS(?-u:\b)[^\n0-9]{0,10}([0-9]{10})(?-u:\b)"),
    kind(
        "REGON",
        r"(?-u:\b)REGON(?-u:\b)[^\n0-9A-Za-z]{0,6}([0-9]{14}|[0-9]{9})(?-u:\b)",
    ),
    kind(
        "IČO",
        r"(?-u:\b)(?:IČO?|ICO)[^\n0-9\p{L}]{0,6}([0-9](?: ?[0-9]){7})(?-u:\b)",
    ),
    kind(
        "Adószám",
        r"(?:(?i:adószám)|ADÓSZÁM)[^\n0-9]{0,6}([0-9]{8}-[0-9]-[0-9]{2})(?-u:\b)",
    ),
    kind(
        "Cégjegyzékszám",
        r"(?:(?i:cégjegyzék ?szám)|CÉGJEGYZÉKSZÁM|(?-u:\b)Cg\.)[^\n0-9]{0,10}([0-9]{2}[- ][0-9]{2}[- ][0-9]{6})(?-u:\b)",
    ),
    kind(
        "CUI",
        r"(?-u:\b)C\.?(?:U\.?I|I\.?F)\.?[^\n0-9A-Z]{0,6}((?:RO ?)?[0-9]{6,10})(?-u:\b)",
    ),
    kind(
        "Registrul comerțului",
        r"(?:(?i:reg(?:istrul|\.)? ?com|onrc)|omerțului|omerţului|omertului|(?-u:\b)CUI|(?-u:\b)CIF)[^\n]{0,30}?(?-u:\b)([JF] ?[0-9]{1,2}/[0-9]{1,6}/(?:[0-9]{2}\.[0-9]{2}\.)?(?:19|20)[0-9]{2}|[JF][0-9]{13})(?-u:\b)",
    ),
    kind(
        "EIK",
        r"(?:ЕИК|Булстат|БУЛСТАТ)[^\n0-9]{0,6}([0-9]{9}(?:[0-9]{4})?)(?-u:\b)",
    ),
    kind("OIB", r"(?-u:\b)OIB(?-u:\b)[^\n0-9]{0,6}([0-9]{11})(?-u:\b)"),
    kind(
        "MBS",
        r"(?-u:\b)MBS(?-u:\b)[^\n0-9A-Za-z]{0,4}([0-9]{8,9})(?-u:\b)",
    ),
    kind("PIB", r"(?-u:\b)(?:PIB|ПИБ)[^\n0-9]{0,6}([0-9]{9})(?-u:\b)"),
    kind(
        "Matični broj",
        r"(?:(?i:mati[čc]ni broj|mati[čc]na (?:številka|št\.?)|mat\. ?št\.?)|MATIČNI BROJ|Матични број|матични број|МАТИЧНИ БРОЈ)[^\n0-9]{0,10}([0-9]{7,10})(?-u:\b)",
    ),
    kind(
        "Davčna številka",
        r"(?i:davčna številka|ID za DDV)[^\n0-9A-Za-z]{0,6}([0-9]{8})(?-u:\b)",
    ),
    kind(
        "ΑΦΜ",
        r"(?:Α\.?Φ\.?Μ\.?|(?-u:\b)A\.?F\.?M\.?(?-u:\b|:| ))[^\n0-9A-Za-z]{0,6}((?:EL ?)?[0-9]{9})(?-u:\b)",
    ),
    kind(
        "ΓΕΜΗ",
        r"(?:Γ\.?Ε\.?Μ\.?Η\.?|(?-u:\b)G\.?E\.?M\.?I\.?(?-u:\b|:| ))[^\n0-9]{0,8}([0-9]{12})(?-u:\b)",
    ),
    kind(
        "Vergi No",
        r"(?:(?i:vergi (?:kimlik )?(?:no|numaras)|vergi dairesi(?: ve | ?/ ?| ?- ?)(?:vergi )?(?:no|numaras))|(?-u:\b)V\.?K\.?N\.?(?-u:\b|:| ))[^\n0-9]{0,30}([0-9]{10})(?-u:\b)",
    ),
    kind("MERSIS", r"(?i:mersis)(?: no)?[^\n0-9]{0,6}([0-9]{16})(?-u:\b)"),
    // The former Soviet Union.
    kind("INN", r"ИНН[^\n0-9]{0,10}([0-9]{12}|[0-9]{10})(?-u:\b)"),
    kind("OGRN", r"ОГРН(?:ИП)?[^\n0-9]{0,10}([0-9]{15}|[0-9]{13})(?-u:\b)"),
    kind("EDRPOU", r"[ЄЕ]ДРПОУ[^\n0-9]{0,6}([0-9]{8})(?-u:\b)"),
    kind("UNP", r"УНП[^\n0-9]{0,6}([0-9]{9})(?-u:\b)"),
    kind("BIN", r"БИН[^\n0-9]{0,6}([0-9]{12})(?-u:\b)"),
    // The Americas.
    kind(
        "EIN",
        r"(?-u:\b)(?:EIN|(?i:tax id))(?-u:\b)[^\n0-9]{0,10}([0-9]{2}-[0-9]{7})(?-u:\b)",
    ),
    kind(
        "GST/HST",
        r"(?-u:\b)(?:GST|HST|TPS|TVH|BN)(?-u:\b)[^\n0-9]{0,16}([0-9]{5} ?[0-9]{4} ?RT ?[0-9]{4})(?-u:\b)",
    ),
    kind("NEQ", r"(?-u:\b)NEQ(?-u:\b)[^\n0-9]{0,6}([0-9]{10})(?-u:\b)"),
    kind(
        "CNPJ",
        r"(?i:cnpj)(?:/MF)?[^\n0-9]{0,6}([0-9]{2}\.?[0-9]{3}\.?[0-9]{3}/?[0-9]{4}-?[0-9]{2})(?-u:\b)",
    ),
    kind(
        "CUIT",
        r"(?i:c\.?u\.?i\.?t\.?)(?-u:\b|:)[^\n0-9]{0,6}([0-9]{2}-?[0-9]{8}-?[0-9])(?-u:\b)",
    ),
    kind(
        "RUC",
        r"(?-u:\b)R\.?U\.?C\.?[^\n0-9A-Z]{0,8}((?:10|15|17|20)[0-9]{9}|[0-9]{13})(?-u:\b)",
    ),
    kind(
        "RUT",
        r"(?-u:\b)(?:R\.?U\.?T\.?|Rut)(?-u:\b|:| )[^\n0-9A-Za-z]{0,6}([0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-[0-9Kk]|[0-9]{12})(?-u:\b)",
    ),
    kind(
        "NIT",
        r"(?-u:\b)N\.?I\.?T\.?[^\n0-9A-Z]{0,6}([0-9]{3}\.?[0-9]{3}\.?[0-9]{3}(?: ?- ?[0-9])?)(?-u:\b)",
    ),
    kind(
        "RFC",
        r"(?-u:\b)R\.?F\.?C\.?[^\n0-9A-Z]{1,6}([A-ZÑ&]{3,4}[0-9]{6}[0-9A-Z]{3})(?-u:\b)",
    ),
    // Asia.
    kind(
        "GSTIN",
        r"(?-u:\b)GST(?:IN)?(?: No\.?)?[^\n0-9A-Z]{0,6}([0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3})(?-u:\b)",
    ),
    kind(
        "CIN",
        r"(?-u:\b)CIN(?: No\.?)?[^\n0-9A-Z]{0,6}([LU][0-9]{5}[A-Z]{2}[0-9]{4}[A-Z]{3}[0-9]{6})(?-u:\b)",
    ),
    kind("Corporate number", r"法人番号[^\n0-9]{0,6}([0-9]{13})(?-u:\b)"),
    kind(
        "Registration number",
        r"登録番号[^\n0-9A-Z]{0,6}(T[0-9]{13})(?-u:\b)",
    ),
    kind(
        "Business number",
        r"(?:사업자(?:등록)?\s?번호[^\n0-9]{0,6}([0-9]{3}-?[0-9]{2}-?[0-9]{5})|(?:統一編號|統編)[^\n0-9]{0,6}([0-9]{8}))(?-u:\b)",
    ),
    kind(
        "USCC",
        r"(?:信用代码|信用代碼)[^\n0-9A-Z]{0,6}([0-9A-HJ-NPQRTUWXY]{18})(?-u:\b)",
    ),
    kind(
        "Tax ID",
        r"(?:ผู้เสียภาษี|เลขทะเบียน)[^\n0-9]{0,20}([0-9][ -]?[0-9]{4}[ -]?[0-9]{5}[ -]?[0-9]{2}[ -]?[0-9])(?-u:\b)",
    ),
    kind(
        "MST",
        r"(?:(?-u:\b)(?:MST|MSDN)(?-u:\b)|ã số thuế|Ã SỐ THUẾ|ã số doanh nghiệp|Ã SỐ DOANH NGHIỆP)[^\n0-9]{0,12}([0-9]{10}(?:-[0-9]{3})?)(?-u:\b)",
    ),
    kind(
        "NPWP",
        r"(?-u:\b)NPWP(?-u:\b)[^\n0-9]{0,6}([0-9]{2}\.?[0-9]{3}\.?[0-9]{3}\.?[0-9]-?[0-9]{3}\.?[0-9]{3})(?-u:\b)",
    ),
    // Malaysia: the year, the kind of firm and a number, with the older number in brackets.
    kind(
        "Company number",
        r"(?:Bhd|BHD|(?i:company|registration|reg\.?|co\.) (?i:number|no\.?)|(?-u:\b)SSM(?-u:\b))[^\n0-9]{0,12}((?:19|20)[0-9]{2}0[1-6][0-9]{6}(?: ?\([0-9]{5,7}-[A-Z]\)| ?/ ?[0-9]{5,7}-[A-Z](?-u:\b))?)",
    ),
    kind(
        "UEN",
        r"(?-u:\b)UEN(?: [Nn]o\.?)?[^\n0-9A-Za-z]{0,6}([0-9]{8,9}[A-Z]|[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z])(?-u:\b)",
    ),
    kind(
        "TRN",
        r"(?:(?-u:\b)TRN(?-u:\b)|(?i:tax registration n)|الرقم الضريبي|رقم التسجيل الضريبي)[^\n0-9]{0,14}([13][0-9]{14})(?-u:\b)",
    ),
    kind(
        "VAT",
        r"(?-u:\b)(?i:VAT (?:registration )?(?:number|no\.?|id|#)?)[^\n0-9A-Za-z]{0,4}(3[0-9]{13}3)(?-u:\b)",
    ),
    kind(
        "CR",
        r"(?:سجل تجاري|السجل التجاري|(?-u:\b)C\.?R\.? (?i:no\.?|number)|(?i:commercial registration))[^\n0-9]{0,12}([1-7][0-9]{9})(?-u:\b)",
    ),
    kind(
        "Company number",
        r#"(?:ח\.פ|ח״פ|ח"פ|ח''פ)[^\n0-9]{0,6}(5[0-9]{8})(?-u:\b)"#,
    ),
    kind(
        "VAT",
        r#"(?:ע\.מ|ע״מ|ע"מ|עוסק מורשה)[^\n0-9]{0,6}([0-9]{9})(?-u:\b)"#,
    ),
    // Africa and Oceania.
    kind(
        "Company number",
        r"(?i:reg(?:istration)?\.? ?(?:no|nr|number)\.?)[^\n0-9A-Za-z]{0,6}((?:19|20)[0-9]{2}/[0-9]{6}/[0-9]{2})(?-u:\b)",
    ),
    kind(
        "ABN",
        r"(?-u:\b)ABN(?-u:\b)[^\n0-9]{0,6}([0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    kind(
        "ACN",
        r"(?-u:\b)(?:ACN|A\.C\.N\.)[^\n0-9A-Za-z]{0,6}([0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    kind(
        "NZBN",
        r"(?-u:\b)NZBN(?-u:\b)[^\n0-9]{0,6}(94(?: ?[0-9]){11})(?-u:\b)",
    ),
    kind(
        "GST",
        r"(?-u:\b)GST(?: (?i:number|no\.?|reg\.?))?[^\n0-9A-Za-z]{0,6}([0-9]{2,3}-[0-9]{3}-[0-9]{3})(?-u:\b)",
    ),
];
