//! Words by which pages introduce others, and the names of authorities and arbiters.

use std::sync::LazyLock;

use regex::Regex;

/// Expressions for whole pages have boundaries of ASCII words: those of all scripts are slow on other texts.
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is constant")
}

/// Whether a line introduces who hosts the site.
pub(in crate::scanner::page) fn introduces_host(line: &str) -> bool {
    static HOSTS: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"(?i)héberg|hosted|hosting|gehostet|hospeda(?:je|do|gem)|alojamiento|tárhely|хостинг|barındırma|hébergeur",
        )
    });
    HOSTS.is_match(line)
}

/// Whether a heading introduces who made the site, an officer, an authority, an arbiter, an insurer.
pub(super) fn introduces(heading: &str) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"(?ix)
            \b(?:konzept(?:ion)?|web-?\s?design|web-?entwicklung|web-?development|reali[sz]ation|realisierung
                |umsetzung|programmierung|gestaltung|site\ design|site\ by|made\ by|designed\ by|developed\ by
                |création\ (?:du\ site|graphique|web)|conception|réalisation|realizzazione|sviluppo
                |diseño\ (?:web|y)|desarrollo\ (?:web|y)|web-?ontwerp|realisatie|wykonanie|realizacja)\b
            |datenschutzbeauftragte|data\ protection\ officer|délégué\ à\ la\ protection
            |responsabile\ della\ protezione|delegado\ de\ protección|functionaris\ (?:voor\ )?gegevensbescherming
            |inspektor\w*\ ochrony
            |aufsichtsbehörde|supervisory\ authority|autorité\ de\ contrôle|autorità\ (?:di\ controllo|garante)
            |autoridad\ de\ control|toezichthoudende|organ\w*\ nadzor
            |schlichtung|streitbeilegung|médiat(?:eur|ion)|ombuds|haftpflichtversicherung|liability\ insurance
            |bildnachweis|photo\ credits?|crédits?\ photo",
        )
    });
    OTHERS.is_match(heading)
}

/// Who made the site, on a line of the page: `Webdesign: …`, `Konzept, Design & Umsetzung: …`, `Website by …`.
pub(super) static CREDITS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        (?-u:\b)(?:konzept(?:ion)?|web-?\s?design(?:er)?|web-?entwicklung|web-?development|realisierung|umsetzung|programmierung|gestaltung
            |(?:site|website|web)\ (?:design|development|erstellung)|website-?erstellung|création(?:\ du)?\ (?:site|web)(?:\ internet)?
            |réalisation(?:\ du\ site)?|conception(?:\ du\ site|\ et\ réalisation)?|realizzazione(?:\ (?:del\ )?sito)?|sviluppo\ web
            |diseño\ web|desarrollo\ web|diseño\ y\ desarrollo|web-?ontwerp|realisatie|webbureau|webbyrå|wykonanie(?:\ strony)?
            |realizacja(?:\ strony)?|projekt\ i\ wykonanie|tvorba\ (?:webu|webových\ stránek|stránek)|vytvořilo?|honlapkészítés
            |weboldal\ készítés|web\ tasarım
            )(?:\s?(?:,|&|und|and|et|e|y|i)\s[\p{L}\ -]{3,30}){0,2}\s?:
        |(?:создание|разработка)\ сайта\s?:|розробка\ сайту\s?:
        |(?-u:\b)(?:site|website|web\ ?site|web|design(?:ed)?|design\ and\ development|made|developed|created|powered|built)\ by:?\s
        |(?-u:\b)(?:erstellt|umgesetzt|realisiert|programmiert|gestaltet)\ (?:von|durch):?\s
        |(?-u:\b)(?:réalisé|créé|conçu)\ par:?\s|(?-u:\b)realizzato\ da:?\s",
    )
});

/// Labels of those whom the owner of a site has to name, on a page about its duties.
pub(super) static DUTIES: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        (?:datenschutzbeauftragte\w*|data\ protection\ officer|délégué\ à\ la\ protection\ des\ données|delegado\ de\ protección\ de\ datos
            |aufsichtsbehörde|supervisory\ authority|autorité\ de\ contrôle|autoridad\ de\ control|zuständige\ kammer
            |(?:web-?)?hosting(?:-?anbieter|\ provider)?|hoster|hébergeur|hébergement(?:\ du\ site)?|hébergé\ par|hospedaje|alojamiento
            |médiateur(?:\ de\ la\ consommation)?|berufshaftpflichtversicherung)\s?:",
    )
});

/// Authorities for the protection of data and of consumers, ombudsmen and arbiters: nobody else is called so.
pub(super) static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?x)
        (?-u:\b)(?:CNIL|AEPD|ANPC|ANSPDCP|UODO|NAIH|EDÖB|PFPDT|CNPD|CICAP|CM2C)(?-u:\b)|КЗЛД
        |(?i:landes(?:beauftragte\w*|amt|zentrum|datenschutz)\s(?:für|f\.)\s(?:den\s|die\s)?datenschutz
            |bundesbeauftragte\w*\sfür\sden\sdatenschutz|(?-u:\b)(?:österreichische|liechtensteinische)\w*\sdatenschutz(?:behörde|stelle)
            |datenschutz-?\sund\söffentlichkeitsbeauftragte|schlichtungsstelle|zentrum\sfür\sschlichtung
            |information\scommissioner|(?-u:\b)ombuds(?:man|mann|men|person|stelle)(?-u:\b)|data\sprotection\scommission(?:er)?(?-u:\b)
            |commission\snationale\s(?:de\s)?(?:l['’]informatique|pour\sla\sprotection)|autorité\sde\sprotection\sdes\sdonnées
            |médiat(?:eur|ion)s?\s(?:de\sla\sconsommation|du\scommerce|du\se-commerce|national|européen)
            |agencia\sespañola\sde\sprotección|comissão\snacional\sde\sproteção|tribunal\sarbitral|centro\sde\sarbitragem|conflitos\sde\sconsumo
            |garante\s(?:per\sla\sprotezione|(?:della\s)?privacy|europeo)
            |autoriteit\spersoonsgegevens|gegevensbeschermingsautoriteit|geschillencommissie
            |urz[ęe]d\w*\sochrony\s(?:danych|konkurencji)|inspekc\w+\shandlow\w+|rzecznik\w*\skonsument\w+
            |obchodn\w+\sin[sš]pekc\w+|úřad\w*\spro\sochranu\sosobních|úrad\w*\sna\sochranu\sosobných
            |adatvédelmi\sés\sinformációszabadság|békéltető\stestület|fogyasztóvédelmi
            |autoritat\w+\snațional\w+|protecția\sconsumatorilor|комиси\w+\sза\sзащита\sна
            |integritetsskyddsmyndigheten|konsumentverket|reklamationsnämnden|datatilsynet|forbrukertilsynet|tietosuojavaltuute\w+|kuluttajariita\w+
            |andmekaitse\sinspektsioon|tarbijakaitse|datu\svalsts\sinspekcij\w+|duomenų\sapsaugos\sinspekcij\w+|vartotojų\steisių\sapsaug\w+
            |agencij\w+\sza\szaštitu|informacijsk\w+\spooblaščen\w+|kişisel\sverileri\skoruma|αρχή\s(?:προστασίας|δεδομένων)|συνήγορος\sτου\sκαταναλωτή)",
    )
});

/// One section for both, or who decides about the data.
pub(super) static OWNER: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)verantwortlich|betreiber|diensteanbieter|anbieterkennzeichnung|herausgeber|controller|[ée]diteur|editor|titolare|responsable du|responsable del tr|administrator danych|verwerkingsverantwoordelijke|owner",
    )
});

/// What the pages about the data of visitors are called.
pub(super) static PRIVACY: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)datenschutz|privacy|privacidad|riservatezza|confidentialit|donn[ée]es[ -]personnelles|prywatno|gegevensbescherming|protecci[óo]n[ -]de[ -]datos",
    )
});

/// Whether what is behind a label is how to reach the owner about it, not a name: `Webdesign: Tel. 030 …`.
pub(super) fn is_phone_label(text: &str) -> bool {
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        constant(r"(?i)^(?:tel|t[ée]l|fon|phone|fax|mobil|handy|hotline|call|e-?mail|mail)\b")
    });
    LABEL.is_match(text)
}
