//! Words with which pages introduce others, and the names of authorities and arbiters.

use std::sync::LazyLock;

use regex::Regex;

/// Expressions for whole pages use ASCII word boundaries, and no long repetitions of Unicode classes: `regex` searches
/// non-ASCII text for others with its slowest engine, which takes a hundred times as long.
pub(super) fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is constant")
}

/// Whether a line introduces the hosting provider.
pub(in crate::scanner::page) fn introduces_host(line: &str) -> bool {
    static HOSTS: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"(?i)héberg|hosted|hosting|gehostet|hospeda(?:je|do|gem)|alojamiento|tárhely|хостинг|barındırma|hébergeur",
        )
    });
    HOSTS.is_match(line)
}

/// Whether a heading introduces the maker of the site, an officer, an authority, an arbiter or an insurer.
pub(super) fn introduces(heading: &str) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        constant(
            r"(?ix)
            (?-u:\b)(?:konzept(?:ion)?|web-?\s?design|web-?entwicklung|web-?development|reali[sz]ation|realisierung
                |umsetzung|programmierung|gestaltung|site\ design|site\ by|made\ by|designed\ by|developed\ by
                |création\ (?:du\ site|graphique|web)|conception|réalisation|realizzazione|sviluppo
                |diseño\ (?:web|y)|desarrollo\ (?:web|y)|web-?ontwerp|realisatie|wykonanie|realizacja)(?-u:\b)
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

/// The maker of the site, on a line of the page: `Webdesign: …`, `Konzept, Design & Umsetzung: …`, `Website by …`.
pub(super) static CREDITS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        (?-u:\b)(?:konzept(?:ion)?|web-?\s?design(?:er)?|web-?entwicklung|web-?development|realisierung|umsetzung|programmierung|gestaltung
            |(?:site|website|web)\ (?:design|development|erstellung)|website-?erstellung|création(?:\ du)?\ (?:site|web)(?:\ internet)?
            |réalisation(?:\ du\ site)?|conception(?:\ du\ site|\ et\ réalisation)?|realizzazione(?:\ (?:del\ )?sito)?|sviluppo\ web
            |(?:diseño|desarrollo)\ (?:del?\ )?(?:web|sitio|página\ web)|diseño\ y\ desarrollo|(?:desenvolvimento|criação)\ (?:(?:do|de)\ )?(?:web|sites?)
            |web-?ontwerp|realisatie|webbureau|webbyrå|webb?produktion|wykonanie(?:\ strony)?|realizacja(?:\ strony)?|projekt\ i\ wykonanie
            |tvorba\ (?:webu|webových\ stránek|stránek)|vytvořilo?|honlapkészítés|weboldal\ készítés|web\ tasarım
            |izrada\ (?:web\ ?)?(?:stranic\p{L}*|sajta)|web\ ?dizajn|izdelava\ (?:spletn\p{L}+\ )?stran\p{L}*|(?:creare|realizare)\ (?:site|web)
            |mājas\ ?lap\p{L}+\ izstrāde|(?:interneto\ )?svetain\p{L}+\ kūrimas|kodulehe\ (?:tegemine|valmistamine|teostus)|vefsíðugerð|vefhönnun
            |(?:verkko|koti)sivu\p{L}*\ (?:toteutus|toteutti|suunnittelu)
            )(?:\s?(?:,|&|und|and|et|e|y|i)\s[^0-9:|\n]{3,30}){0,2}\s?:
        |(?:создание|разработка|поддержка|продвижение|розробка|створення|изработка|израда)\s(?:на\s)?(?:уеб\s?)?са[йј]т\p{L}*\s?[:—–-]
        |(?:уеб|веб)[\s-]?диза[йј]н\s?[:—–-]
        |κατασκευή\s(?:ιστοσελίδ\p{L}*|ιστοτόπ\p{L}*|e-?shop|site)\s?:
        |(?:技[术術]支[持援]|网站(?:建设|制作|设计)|網站(?:建置|製作|設計)|網頁設計|(?:ホームページ|サイト|ウェブ)(?:制作|作成)|(?:홈페이지|웹사이트)\s?(?:제작|디자인))\s?[:：]
        |(?:thiết\skế\s(?:web\p{L}*|bởi)|จัดทำ(?:เว็บไซต์)?โดย|בניית\sאתרים?|עיצוב\sו?בניית\sאתר|تصميم\s(?:و?برمجة|و?تطوير|الموقع))\s?:?\s
        |(?-u:\b)(?:site|website|web\ ?site|web|design(?:ed)?|design\ and\ development|made|developed|created|powered|built)\ by:?\s
        |(?-u:\b)(?:erstellt|umgesetzt|realisiert|programmiert|gestaltet)\ (?:von|durch):?\s
        |(?-u:\b)(?:réalisé|créé|conçu|développé)\ par:?\s|(?-u:\b)(?:realizzato|sviluppato|creato)\ da:?\s
        |(?-u:\b)(?:diseñad[oa]|desarrollad[oa]|desenvolvido|criado)\ por:?\s
        |(?-u:\b)(?:website|site|webshop)\ (?:(?:gemaakt|gebouwd|ontworpen|ontwikkeld)\ )?door:?\s|(?-u:\b)(?:gemaakt|gerealiseerd|ontwikkeld|ontworpen)\ door:?\s
        |(?-u:\b)(?:hjemmeside(?:n)?|nettside(?:n)?|hemsida(?:n)?|webbplats(?:en)?|webdesign|webb?sida(?:n)?)\s(?:er\s|är\s)?(?:\p{Ll}+\s)?(?:af|av):?\s
        |(?-u:\b)(?:strona|stronę|strony|stránky|web)\s(?:www\s)?(?:wykonał\p{L}*|stworzył\p{L}*|vytvoril\p{L}*|vytvořil\p{L}*|vyrobil\p{L}*):?\s
        |(?-u:\b)(?:realizat|dezvoltat|creat)\sde:?\s|(?-u:\b)(?:dibuat|dikembangkan|didesain)\soleh:?\s",
    )
});

/// Labels of those that the owner of a site must name, on a page about legal duties.
pub(super) static DUTIES: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        (?:datenschutzbeauftragte\w*|data\ protection\ officer|délégué\ à\ la\ protection\ des\ données|delegado\ de\ protección\ de\ datos
            |aufsichtsbehörde(?:/\p{L}+)?|supervisory\ authority|autorité\ de\ contrôle|autoridad\ de\ control|zuständige\ kammer
            |(?:web-?)?hosting(?:-?anbieter|\ provider)?|hoster|hébergeur|hébergement(?:\ du\ site)?|hébergé\ par|hospedaje|alojamiento
            |médiateur(?:\ de\ la\ consommation)?|berufshaftpflichtversicherung)\s?:",
    )
});

/// Data and consumer protection authorities, ombudsmen and arbiters: nobody else has such names.
pub(super) static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?x)
        (?-u:\b)(?:CNIL|AEPD|ANPC|ANSPDCP|UODO|NAIH|EDÖB|PFPDT|CNPD|CICAP|CM2C)(?-u:\b)|КЗЛД
        |(?i:landes(?:beauftragte\w*|amt|zentrum|datenschutz)\s(?:für|f\.)\s(?:den\s|die\s)?datenschutz
            |bundesbeauftragte\w*\sfür\sden\sdatenschutz|(?:österreichische|liechtensteinische)\w*\sdatenschutz(?:behörde|stelle)
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

/// Authorities, helplines and emergency services: nobody else has such names, so they count anywhere in a line.
pub(super) static AUTHORITIES: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?x)
        (?-u:\b)(?:INAI|CSSF|BaFin|FINMA|SERNAC|INDECOPI|PROFECO|CONDUSEF|CNIACC|IPSO|APD-GBA)(?-u:\b)
        |(?i:samaritans|childline|telefonseelsorge|sos\samitié|crisis\s?line
            |anti-?poison|poisons?\s(?:control|cent(?:er|re)|information|helpline)|gift(?:notruf|information)|vergiftungsinformation|centro\santiveleni|antigifcentrum
            |(?:haus|zahn|kinder|tier)?ärztlicher?\s(?:bereitschafts|not)dienst|huisartsenpost|médecins?\sde\sgarde|sos\smédecins|guardia\smedica|orvosi\sügyelet)",
    )
});

/// Authorities, chambers and emergency services. A line that is about one begins with its name.
pub(super) static INSTITUTIONS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        (?:^|[^\p{L}])(?:
            # In an emergency.
            (?:bundes|landes)?polizei\p{L}*|police|polic[ií]a|polícia|polizia|policja|politie|rend[őo]rség|полици\p{L}+|полиция
            |feuerwehr|rettungs\p{L}+|rettung|pompiers|bomberos|bombeiros|vigili\sdel\sfuoco|brandweer|straż\spożarna|hasiči
            # Who supervises professions.
            |kassen(?:zahn)?ärztliche|(?:landes)?(?:ärzte|zahnärzte|apotheker|anwalts|berater|handwerks|notar|architekten|ingenieure?|wirtschafts|psychotherapeuten|handels)kammer\p{L}*
            |bezirkshauptmannschaft|landratsamt|regierungspräsidium|gewerbeaufsicht\p{L}*
            |(?:\p{L}+\s)?bar\sassociation|(?:the\s)?law\ssociety|chamber\sof|chambre\s(?:des|de|nationale|régionale)|ordre\s(?:des|national|régional)|barreau\sd
            |colegio\s(?:oficial|de\sabogados)|ordem\sdos|ordine\s(?:dei|degli|nazionale)|(?:okręgowa|krajowa)\s(?:izba|rada)|česká\s\p{L}+\skomora|slovenská\s\p{L}+\skomora
            # Who supervises companies.
            |superintendencia|procuradur[ií]a|defensor(?:ía)?\sdel|procon|consultas\safip
            |charit(?:ies|y)\s(?:regulator|commission)|information\sregulator|trading\sstandards|citizens\sadvice|consumer\s(?:protection|council|affairs)
            |orgán\sdozoru|dozorn\p{L}+\sorgán|felügyeleti\s(?:szerv|hatóság)|organ\snadzoru|инспекц\p{L}+|роспотребнадзор
            |택배(?:사|회사)?|소비자(?:원|보호원|상담)|개인정보\s?(?:침해|분쟁)\p{L}*
        )(?:$|[^\p{L}])",
    )
});

/// Someone's relation to the owner, in front of a name: a partner, a manufacturer, the funder of a project.
pub(super) static RELATIONS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix)
        ^(?:
            (?:unsere?\spartner\p{L}*|our\spartners?|notre\spartenaire|nos\spartenaires|nuestr[oa]s?\s(?:soci[oa]|colaborador)\p{L}*|nosso\sparceiro|il\snostro\spartner|onze\spartner|nasz\spartner|náš\spartner)[^:\n]{0,40}:
            |(?:angaben\szum\s)?hersteller(?:angaben|information\p{L}*)?\s?(?:\([^)\n]{2,30}\))?\s?:
            |(?:manufacturer|manufactured\sby|fabricant|fabricante|produttore|producent|výrobce|výrobca|gyártó|importeur|importer|fabrikant|eu\sresponsible\sperson|verantwortliche\sperson)\s?(?:\([^)\n]{2,30}\))?\s?:
            |(?:gefördert|kofinanziert|finanziert)\s(?:durch|von|mit)|(?:co-?)?funded\sby|(?:co)?financé\spar|cofinanciado\spor|cofinanziato|projekt\p{L}*\slīdzfinansēt\p{L}*|(?:współ|do)finansowan\p{L}+|spolufinancov\p{L}+
            |mitglied\s(?:der|des|bei|im|in)\s|member\sof\s|membre\s(?:de|du|des)\s|miembro\sde|membro\sd[aeo]|lid\svan\s|medlem\sa[fv]\s|członek|člen\s
            |(?:regulated|supervised|authori[sz]ed|licensed)\sby\s
            |(?:data\s)?complaints?\s(?:to|:)|beschwerden?\s(?:an|bei)\s|réclamations?\s?:|reclamaciones\s?:|(?:privacy)?klachten?\s?[:?]
        )",
    )
});

/// The owner, also in a section shared with others, or the controller of the data.
pub(super) static OWNER: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)verantwortlich|betreiber|diensteanbieter|anbieterkennzeichnung|herausgeber|controller|[ée]diteur|editor|titolare|responsable du|responsable del tr|administrator danych|verwerkingsverantwoordelijke|owner",
    )
});

/// Names of privacy pages.
pub(super) static PRIVACY: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)datenschutz|privacy|privacidad|riservatezza|confidentialit|donn[ée]es[ -]personnelles|prywatno|gegevensbescherming|protecci[óo]n[ -]de[ -]datos",
    )
});

/// Whether the text after a label is the owner's contact details for that topic, not a name: `Webdesign: Tel. 030 …`.
pub(super) fn is_phone_label(text: &str) -> bool {
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        constant(r"(?i)^(?:tel|t[ée]l|fon|phone|fax|mobil|handy|hotline|call|e-?mail|mail)\b")
    });
    LABEL.is_match(text)
}
