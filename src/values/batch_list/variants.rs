//! Lists as people send them, one row each: what is read of them, what is refused of them and why, and which column was
//! taken. The API, the pages and the command line read by the same code.

use super::{BatchList, ChosenBy, Form, Source};

/// A list and its expected result.
struct Variant {
    what: &'static str,
    content: Vec<u8>,
    /// `line domain`, separated by commas.
    accepted: &'static str,
    /// Line, input and reason.
    rejected: &'static [(u32, &'static str, &'static str)],
    duplicates: usize,
    /// Number, name and `h`eader, `c`ontent or `e`-mail addresses.
    column: &'static str,
}

const BAD: &str = "invalid_domain";
const FREE: &str = "free_mail_host";

macro_rules! variants {
    ($($what:literal: $content:expr => $accepted:literal, [$(($line:literal, $input:literal, $reason:ident)),*], $duplicates:literal, $column:literal;)+) => {
        vec![$(Variant {
            what: $what,
            content: AsRef::<[u8]>::as_ref(&$content).to_vec(),
            accepted: $accepted,
            rejected: &[$(($line, $input, $reason)),*],
            duplicates: $duplicates,
            column: $column,
        },)+]
    };
}

fn utf16(text: &str, is_little: bool, has_mark: bool) -> Vec<u8> {
    let mark = has_mark.then_some(0xfeff);
    let units = mark.into_iter().chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if is_little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table")]
fn variants() -> Vec<Variant> {
    variants! {
        // Plain lines.
        "nothing": "" => "", [], 0, "";
        "blank lines": "\n \n\t\n" => "", [], 0, "";
        "one domain": "a.com" => "1 a.com", [], 0, "";
        "a domain per line": "a.com\nb.com\n" => "1 a.com,2 b.com", [], 0, "";
        "blank lines between": "\n\na.com\n\n\nb.com\n\n" => "3 a.com,6 b.com", [], 0, "";
        "no line end at the end": "a.com\nb.com" => "1 a.com,2 b.com", [], 0, "";
        "line ends of Windows": "a.com\r\nb.com\r\n" => "1 a.com,2 b.com", [], 0, "";
        "line ends of old Macintoshes": "a.com\rbad one\rb.com\r" => "1 a.com,3 b.com", [(2, "bad one", BAD)], 0, "";
        "mixed line ends": "a.com\r\nb.com\nc.com\rd.com" => "1 a.com,2 b.com,3 c.com,4 d.com", [], 0, "";
        "blanks around": "  a.com \n\tb.com\t\n" => "1 a.com,2 b.com", [], 0, "";
        "hard blanks around": "\u{a0}a.com\u{a0}\n" => "1 a.com", [], 0, "";
        "the same again": "a.com\nWWW.A.COM\nhttps://a.com/x\nb.com\n" => "1 a.com,4 b.com", [], 2, "";
        "a word": "a.com\nlocalhost\n" => "1 a.com", [(2, "localhost", BAD)], 0, "";
        "an IP address": "a.com\n127.0.0.1\n" => "1 a.com", [(2, "127.0.0.1", BAD)], 0, "";
        "a sentence": "a.com\nnot a domain\n" => "1 a.com", [(2, "not a domain", BAD)], 0, "";
        "a port": "a.com\nb.com:8080\n" => "1 a.com", [(2, "b.com:8080", BAD)], 0, "";
        "another scheme": "a.com\nftp://b.com\n" => "1 a.com", [(2, "ftp://b.com", BAD)], 0, "";
        "an address among domains": "a.com\ninfo@b.com\nc.com\n" => "1 a.com,3 c.com", [(2, "info@b.com", BAD)], 0, "";
        "only bad lines": "localhost\n5\n" => "", [(1, "localhost", BAD), (2, "5", BAD)], 0, "";
        "a title": "Customers\na.com\nb.com\n" => "2 a.com,3 b.com", [(1, "Customers", BAD)], 0, "";
        "international names": "münchen.de\nпример.рф\n例え.jp\n" => "1 xn--mnchen-3ya.de,2 xn--e1afmkfd.xn--p1ai,3 xn--r8jz45g.jp", [], 0, "";
        "two on a line, by a blank": "a.com b.com\n" => "1 a.com,1 b.com", [], 0, "";
        "a domain in a sentence": "see a.com today\n" => "", [(1, "see a.com today", BAD)], 0, "";
        // Addresses as URLs.
        "URLs": "https://www.a.com/x?y=1#z\nhttp://b.com\n//c.com/\n" => "1 a.com,2 b.com,3 c.com", [], 0, "";
        "a URL without slashes": "https:a.com\n" => "1 a.com", [], 0, "";
        "a URL with one slash": "http:/a.com\n" => "1 a.com", [], 0, "";
        "a URL with three slashes": "https:///a.com\n" => "1 a.com", [], 0, "";
        "a scheme twice": "https://https://a.com\n" => "1 a.com", [], 0, "";
        "two schemes": "http://https://a.com/\n" => "1 a.com", [], 0, "";
        "the port of https": "https://a.com:443/\n" => "1 a.com", [], 0, "";
        "the port of http": "http://a.com:80\n" => "1 a.com", [], 0, "";
        "another port": "https://a.com:8443/\n" => "", [(1, "https://a.com:8443/", BAD)], 0, "";
        "backslashes": "https:\\\\a.com\\x\n" => "1 a.com", [], 0, "";
        "upper case": "HTTPS://WWW.A.COM/\n" => "1 a.com", [], 0, "";
        "a dot at the end": "a.com.\n" => "1 a.com", [], 0, "";
        "a comma in a path": "https://a.com/x,y\nhttps://b.com/\n" => "1 a.com,2 b.com", [], 0, "";
        "a semicolon in a path": "https://a.com/x;id=5\n" => "1 a.com", [], 0, "1 column_1 c";
        "a bracket of JSON": "[\"a.com\"\nb.com\n" => "2 b.com", [(1, "[\"a.com\"", BAD)], 0, "";
        "an IPv6 address": "https://[::1]/\na.com\n" => "2 a.com", [(1, "https://[::1]/", BAD)], 0, "";
        // Several on a line.
        "by commas": "a.com, b.com, c.com\n" => "1 a.com,1 b.com,1 c.com", [], 0, "1 column_1 c";
        "by tabs": "a.com\tb.com\tc.com\n" => "1 a.com,1 b.com,1 c.com", [], 0, "1 column_1 c";
        "by semicolons": "a.com;b.com;c.com\n" => "1 a.com,1 b.com,1 c.com", [], 0, "1 column_1 c";
        "by bars": "a.com|b.com|c.com\n" => "1 a.com,1 b.com,1 c.com", [], 0, "1 column_1 c";
        "by commas, with one that is none": "a.com,localhost,c.com\n" => "1 a.com,1 c.com", [(1, "localhost", BAD)], 0, "1 column_1 c";
        "the first of a line is none": "a.com,b.com\nbad one,c.com\n" => "1 a.com,1 b.com,2 c.com", [(2, "bad one", BAD)], 0, "2 column_2 c";
        "the same twice on a line": "a.com,A.com\n" => "1 a.com", [], 1, "1 column_1 c";
        "lines of different length": "a.com\nb.com,c.com\nd.com,e.com,f.com\n" => "1 a.com,2 b.com,2 c.com,3 d.com,3 e.com,3 f.com", [], 0, "1 column_1 c";
        "several in a cell, by semicolons": "Anna,a.com;b.com\nBob,c.com\n" => "1 a.com,1 b.com,2 c.com", [], 0, "2 column_2 c";
        "several in a quoted cell, by commas": "name,website\nAnna,\"a.com, b.com\"\n" => "2 a.com,2 b.com", [], 0, "2 website h";
        "several in a quoted cell, by lines": "name,website\nAnna,\"a.com\nb.com\"\nBob,c.com\n" => "2 a.com,2 b.com,4 c.com", [], 0, "2 website h";
        "several in a cell, one of them none": "name;website\nAnna;\"n/a, b.com\"\n" => "2 b.com", [(2, "n/a", BAD)], 0, "2 website h";
        "several in a cell, by a bar": "name,website\nAnna,a.com | b.com\n" => "2 a.com,2 b.com", [], 0, "2 website h";
        "a name of a file is no domain": "a.com,logo.png\nb.com,index.html\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        // Cells beside.
        "a name beside": "a.com,Anna\nb.com,Bob\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        "a name before": "Anna,a.com\nBob,b.com\n" => "1 a.com,2 b.com", [], 0, "2 column_2 c";
        "an empty domain cell": "Anna,a.com\nBob,\nCy,c.com\n" => "1 a.com,3 c.com", [(2, "", BAD)], 0, "2 column_2 c";
        "an empty domain cell under a header": "domain,name\na.com,Anna\n,Bob\n" => "2 a.com", [(3, "", BAD)], 0, "1 domain h";
        "rows of delimiters alone": "domain;name\na.com;Anna\n;\n;;;\n" => "2 a.com", [], 0, "1 domain h";
        "a quoted empty cell": "domain,name\n\"\",Anna\nb.com,Bob\n" => "3 b.com", [(2, "", BAD)], 0, "1 domain h";
        "addresses beside domains": "a.com,anna@a.com\nb.com,bob@gmail.com\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        "a country beside": "a.com;Österreich\nb.com;Schweiz\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        // Quotes.
        "quoted cells": "\"a.com\",\"Anna\"\n\"b.com\",\"Bob\"\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        "quoted lines": "\"a.com\"\n\"b.com\"\n" => "1 a.com,2 b.com", [], 0, "";
        "a blank before a quote": "a.com, \"Smith, Anna\"\nb.com, \"Roe, Bob\"\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        "a blank after a quote": "\"a.com\" ,Anna\n\"b.com\" ,Bob\n" => "1 a.com,2 b.com", [], 0, "1 column_1 c";
        "doubled quotes": "domain,name\na.com,\"Anna \"\"A\"\" Smith\"\nb.com,Bob\n" => "2 a.com,3 b.com", [], 0, "1 domain h";
        "a quote within a cell": "domain,size\na.com,5\" pipe\nb.com,6\" pipe\n" => "2 a.com,3 b.com", [], 0, "1 domain h";
        "a delimiter in quotes": "domain,name\na.com,\"Smith, Anna\"\n" => "2 a.com", [], 0, "1 domain h";
        "a line end in quotes": "name,domain\n\"two\nlines\",a.com\nx,bad one\n" => "2 a.com", [(4, "bad one", BAD)], 0, "2 domain h";
        "line ends of Windows in quotes": "name,domain\r\n\"two\r\nlines\",a.com\r\nx,bad one\r\n" => "2 a.com", [(4, "bad one", BAD)], 0, "2 domain h";
        "rows inside quotes": "domain,name\na.com,\"Anna\nb.com,Bob\nc.com,\"\nd.com,Dee\n" => "2 a.com,5 d.com", [(3, "b.com,Bob", BAD), (4, "c.com,", BAD)], 0, "1 domain h";
        "an address in quotes over lines": "domain,address\na.com,\"Street 1\n12345 Town\"\nb.com,x\n" => "2 a.com,4 b.com", [], 0, "1 domain h";
        // Dialects.
        "commas": "name,domain\nAnna,a.com\n" => "2 a.com", [], 0, "2 domain h";
        "semicolons": "name;domain\nAnna;a.com\n" => "2 a.com", [], 0, "2 domain h";
        "tabs": "name\tdomain\nAnna\ta.com\n" => "2 a.com", [], 0, "2 domain h";
        "bars": "name|domain\nAnna|a.com\n" => "2 a.com", [], 0, "2 domain h";
        "a declared semicolon": "sep=;\nname;domain\nA, B;a.com\n" => "3 a.com", [], 0, "2 domain h";
        "a declared comma": "sep=,\r\nname,domain\r\nA; B,a.com\r\n" => "3 a.com", [], 0, "2 domain h";
        "a declared tab": "SEP=\t\nname\tdomain\nAnna\ta.com\n" => "3 a.com", [], 0, "2 domain h";
        "a declared delimiter in quotes": "\"sep=;\"\ndomain;name\na.com;Anna\n" => "3 a.com", [], 0, "1 domain h";
        "a declared caret": "sep=^\nname^domain\nAnna^a.com\n" => "3 a.com", [], 0, "2 domain h";
        "a declared delimiter without a header": "sep=;\na.com;Anna\nb.com;Bob\n" => "2 a.com,3 b.com", [], 0, "1 column_1 c";
        "commas in cells of semicolons": "name;domain\nA, B;a.com\nC, D;b.com\n" => "2 a.com,3 b.com", [], 0, "2 domain h";
        "the same without a header": "A, B;a.com\nC, D;b.com\n" => "1 a.com,2 b.com", [], 0, "2 column_2 c";
        "semicolons in cells of commas": "name,domain\nA; B,a.com\nC; D,b.com\n" => "2 a.com,3 b.com", [], 0, "2 domain h";
        "quoted delimiters in the header": "\"Name, Vorname\";Website\nSmith, Anna;a.com\n" => "2 a.com", [], 0, "2 Website h";
        "the same the other way": "\"Name; first, last\",Website\nAnna,a.com\n" => "2 a.com", [], 0, "2 Website h";
        "decimal commas": "domain;size\na.com;1,5\nb.com;2,5\n" => "2 a.com,3 b.com", [], 0, "1 domain h";
        "a title above": "Customers 2026\nname;domain\nAnna;a.com\n" => "3 a.com", [], 0, "2 domain h";
        "a title that says website": "Website list\nName;Domain\nAnna;a.com\n" => "3 a.com", [], 0, "2 Domain h";
        "a title with delimiters": "Customers 2026;;\nName;Domain;City\nAnna;a.com;Bonn\n" => "3 a.com", [], 0, "2 Domain h";
        "a title and an empty line above": "Customers\n\nname,domain\nAnna,a.com\n" => "4 a.com", [], 0, "2 domain h";
        "an empty line above": "\nname,domain\nAnna,a.com\n" => "3 a.com", [], 0, "2 domain h";
        "an empty row above": ";;\r\nname;domain;x\r\nAnna;a.com;1\r\n" => "3 a.com", [], 0, "2 domain h";
        "a trailing delimiter": "domain;\na.com;\nb.com;\n" => "2 a.com,3 b.com", [], 0, "1 domain h";
        "a leading delimiter": ";domain\n;a.com\n;b.com\n" => "2 a.com,3 b.com", [], 0, "2 domain h";
        // Headers.
        "domain": "domain\na.com\n" => "2 a.com", [], 0, "1 domain h";
        "url": "url\na.com\n" => "2 a.com", [], 0, "1 url h";
        "website": "website\na.com\n" => "2 a.com", [], 0, "1 website h";
        "upper case header": "NAME,DOMAIN\nAnna,a.com\n" => "2 a.com", [], 0, "2 DOMAIN h";
        "Website URL": "Name,Website URL\nAnna,a.com\n" => "2 a.com", [], 0, "2 Website URL h";
        "Company Domain": "Name,Company Domain\nAnna,a.com\n" => "2 a.com", [], 0, "2 Company Domain h";
        "Company Domain Name": "Company Domain Name,City\na.com,Bonn\n" => "2 a.com", [], 0, "1 Company Domain Name h";
        "Homepage": "Name;Homepage\nAnna;a.com\n" => "2 a.com", [], 0, "2 Homepage h";
        "Webseite": "Name;Webseite\nAnna;a.com\n" => "2 a.com", [], 0, "2 Webseite h";
        "Internetseite": "Firma;Internetseite\nA GmbH;a.de\n" => "2 a.de", [], 0, "2 Internetseite h";
        "Site web": "Nom;Site web\nAnne;a.fr\n" => "2 a.fr", [], 0, "2 Site web h";
        "Site internet": "Société;Site internet\nA;a.fr\n" => "2 a.fr", [], 0, "2 Site internet h";
        "Nom de domaine": "Nom;Nom de domaine\nA;a.fr\n" => "2 a.fr", [], 0, "2 Nom de domaine h";
        "Dominio": "Nombre;Dominio\nAna;a.es\n" => "2 a.es", [], 0, "2 Dominio h";
        "Página web": "Nombre;Página web\nAna;a.es\n" => "2 a.es", [], 0, "2 Página web h";
        "Sito web": "Nome;Sito web\nAnna;a.it\n" => "2 a.it", [], 0, "2 Sito web h";
        "Domínio": "Nome;Domínio\nAna;a.com.br\n" => "2 a.com.br", [], 0, "2 Domínio h";
        "Strona internetowa": "Nazwa;Strona internetowa\nA;a.pl\n" => "2 a.pl", [], 0, "2 Strona internetowa h";
        "Webové stránky": "Název;Webové stránky\nA;a.cz\n" => "2 a.cz", [], 0, "2 Webové stránky h";
        "Weboldal": "Név;Weboldal\nA;a.hu\n" => "2 a.hu", [], 0, "2 Weboldal h";
        "Hemsida": "Namn;Hemsida\nA;a.se\n" => "2 a.se", [], 0, "2 Hemsida h";
        "Hjemmeside": "Navn;Hjemmeside\nA;a.dk\n" => "2 a.dk", [], 0, "2 Hjemmeside h";
        "Nettside": "Navn;Nettside\nA;a.no\n" => "2 a.no", [], 0, "2 Nettside h";
        "Kotisivut": "Nimi;Kotisivut\nA;a.fi\n" => "2 a.fi", [], 0, "2 Kotisivut h";
        "Webadres": "Naam;Webadres\nA;a.nl\n" => "2 a.nl", [], 0, "2 Webadres h";
        "Web sitesi": "Ad;Web sitesi\nA;a.com.tr\n" => "2 a.com.tr", [], 0, "2 Web sitesi h";
        "Сайт": "Имя;Сайт\nА;a.ru\n" => "2 a.ru", [], 0, "2 Сайт h";
        "Ιστοσελίδα": "Όνομα;Ιστοσελίδα\nΑ;a.gr\n" => "2 a.gr", [], 0, "2 Ιστοσελίδα h";
        "网站": "公司,公司网站\n甲,a.cn\n" => "2 a.cn", [], 0, "2 公司网站 h";
        "ホームページ": "会社名,ホームページ\n甲,a.jp\n" => "2 a.jp", [], 0, "2 ホームページ h";
        "홈페이지": "이름,홈페이지\n갑,a.kr\n" => "2 a.kr", [], 0, "2 홈페이지 h";
        "company_website": "company_name,company_website\nA,a.com\n" => "2 a.com", [], 0, "2 company_website h";
        "companyWebsite": "companyName,companyWebsite\nA,a.com\n" => "2 a.com", [], 0, "2 companyWebsite h";
        "properties.domain": "properties.name,properties.domain\nA,a.com\n" => "2 a.com", [], 0, "2 properties.domain h";
        "company.website": "company.name,company.website\nA,a.com\n" => "2 a.com", [], 0, "2 company.website h";
        "domains that sound like names": "website.de\nhomepage.com\n" => "1 website.de,2 homepage.com", [], 0, "";
        "Website (required)": "Name,Website (required)*\nA,a.com\n" => "2 a.com", [], 0, "2 Website (required)* h";
        "a question": "When?,What is the website of your business?\n2026,a.com\n2025,b.com\n" => "2 a.com,3 b.com", [], 0, "2 What is the website of your business? h";
        "a profile beside the website": "Name,Url,Website\nAnna,https://linkedin.com/in/anna,a.com\n" => "2 a.com", [], 0, "3 Website h";
        "profiles and no website": "Name,LinkedIn URL\na.com,https://linkedin.com/a\n" => "2 a.com", [], 0, "1 Name c";
        "profiles and nothing else": "Name,LinkedIn URL\nAnna,https://linkedin.com/a\n" => "", [(2, "Anna", BAD)], 0, "1 Name c";
        "profiles by name": "Website,LinkedIn URL,Facebook URL\na.com,https://linkedin.com/a,https://fb.com/a\n" => "2 a.com", [], 0, "1 Website h";
        "a picture before the website": "Logo URL,Company URL\nhttps://cdn.x.com/a.png,a.com\n" => "2 a.com", [], 0, "2 Company URL h";
        "names that look like domains": "Company,Website\nBooking.com,https://www.booking.com/\nMonday.com,monday.com\n" => "2 booking.com,3 monday.com", [], 0, "2 Website h";
        "two columns of names that look like domains": "Company,Brand,Website\nBooking.com,Hotels.com,\nMonday.com,Cars.com,c.com\n" => "3 c.com", [(2, "", BAD)], 0, "3 Website h";
        "a domain column that is something else": "Domain,Website\nSales,a.com\nSupport,b.com\n" => "2 a.com,3 b.com", [], 0, "2 Website h";
        "a domain column that is nearly empty": "Domain,Website\n,a.com\n,b.com\nc.com,c.com\n,d.com\n,e.com\n" => "2 a.com,3 b.com,4 c.com,5 d.com,6 e.com", [], 0, "2 Website h";
        "a place that is called site": "Site,Website\nParis,a.com\nLyon,b.com\n" => "2 a.com,3 b.com", [], 0, "2 Website h";
        "measures of domains": "URL,Domain Authority,Referring Domains\na.com,50,12\nb.com,40,8\n" => "2 a.com,3 b.com", [], 0, "1 URL h";
        "labels that nobody knows": "Firma,Netzauftritt\nA GmbH,a.de\nB GmbH,b.de\n" => "2 a.de,3 b.de", [], 0, "2 Netzauftritt c";
        "labels that nobody knows, and two columns of domains": "Betrieb,Netz\nBooking.com,https://booking.com\nA,https://a.com\n" => "2 booking.com,3 a.com", [], 0, "2 Netz c";
        "a header without rows": "name,domain\n" => "", [], 0, "2 domain h";
        "a header and a bad row": "name,domain\nAnna,bad one\n" => "", [(2, "bad one", BAD)], 0, "2 domain h";
        "a domain that begins like a header": "website.com,1\nb.com,2\n" => "1 website.com,2 b.com", [], 0, "1 column_1 c";
        // Addresses.
        "a column of addresses": "anna@a.com\nbob@b.com\n" => "1 a.com,2 b.com", [], 0, "1 column_1 e";
        "addresses of free providers": "anna@a.com\nbob@gmail.com\ncy@web.de\n" => "1 a.com", [(2, "bob@gmail.com", FREE), (3, "cy@web.de", FREE)], 0, "1 column_1 e";
        "addresses under a header": "Name,E-Mail\nAnna,anna@a.com\nBob,\n" => "2 a.com", [(3, "", BAD)], 0, "2 E-Mail e";
        "addresses of one company": "Name;Email\nAnna;anna@a.com\nAbe;abe@a.com\n" => "2 a.com", [], 1, "2 Email e";
        "addresses with names": "Anna <anna@a.com>\nBob <bob@b.com>\n" => "1 a.com,2 b.com", [], 0, "1 column_1 e";
        "several addresses in a cell": "Name,Email\nAnna,\"anna@a.com; info@b.com\"\n" => "2 a.com,2 b.com", [], 0, "2 Email e";
        "addresses and websites": "Email,Website\nanna@gmail.com,a.com\nbob@b.com,b.com\n" => "2 a.com,3 b.com", [], 0, "2 Website h";
        "addresses under a header of domains": "Domain\nanna@a.com\nbob@b.com\n" => "2 a.com,3 b.com", [], 0, "1 Domain e";
        "a bad address": "anna@a.com\nbob@\ncy@c.com\n" => "1 a.com,3 c.com", [(2, "bob@", BAD)], 0, "1 column_1 e";
        // Encodings.
        "a mark of UTF-8": "\u{feff}domain\na.com\n" => "2 a.com", [], 0, "1 domain h";
        "Windows-1252": b"Firma;Webseite\nM\xfcller;m\xfcller.de\nL\xf6we;b.de\n" => "2 xn--mller-kva.de,3 b.de", [], 0, "2 Webseite h";
        "Windows-1251": b"\xc8\xec\xff;\xd1\xe0\xe9\xf2\n\xc8\xe2\xe0\xed \xcf\xe5\xf2\xf0\xee\xe2;a.ru\n\xce\xeb\xfc\xe3\xe0 \xd1\xec\xe8\xf0\xed\xee\xe2\xe0;b.ru\n" => "2 a.ru,3 b.ru", [], 0, "2 Сайт h";
        "UTF-16, little end first": utf16("name\twebsite\r\nAnna\ta.com\r\n", true, true) => "2 a.com", [], 0, "2 website h";
        "UTF-16, big end first": utf16("name\twebsite\r\nAnna\ta.com\r\n", false, true) => "2 a.com", [], 0, "2 website h";
        "UTF-16 without a mark": utf16("name\twebsite\r\nAnna\ta.com\r\n", true, false) => "2 a.com", [], 0, "2 website h";
        "UTF-16 without a mark, big end first": utf16("domain\nmünchen.de\n", false, false) => "2 xn--mnchen-3ya.de", [], 0, "1 domain h";
        // JSON.
        "texts per line": "\"a.com\"\n\"b.com\"\n" => "1 a.com,2 b.com", [], 0, "";
        "objects per line": "{\"domain\":\"a.com\"}\n{\"url\":\"b.com\"}\n{\"x\":1}\n" => "1 a.com,2 b.com", [(3, "{\"x\":1}", BAD)], 0, "";
        "objects with other fields": "{\"name\":\"Anna\",\"Website URL\":\"a.com\"}\n" => "1 a.com", [], 0, "Website URL h";
        "objects with a field in camel case": "{\"companyWebsite\":\"a.com\",\"linkedinUrl\":\"https://linkedin.com/a\"}\n" => "1 a.com", [], 0, "companyWebsite h";
        "objects whose field nobody knows": "{\"n\":\"Anna\",\"w\":\"a.com\"}\n{\"n\":\"Bob\",\"w\":\"b.com\"}\n" => "1 a.com,2 b.com", [], 0, "w c";
        "objects with addresses": "{\"n\":\"Anna\",\"mail\":\"anna@a.com\"}\n{\"n\":\"Bob\",\"mail\":\"bob@gmail.com\"}\n" => "1 a.com", [(2, "bob@gmail.com", FREE)], 0, "mail e";
        "an object with an empty field": "{\"domain\":\"a.com\"}\n{\"domain\":\" \"}\n" => "1 a.com", [(2, "", BAD)], 0, "";
        "an object with a number": "{\"domain\":\"a.com\"}\n{\"domain\":5}\n" => "1 a.com", [(2, "5", BAD)], 0, "";
        "a broken line of JSON": "{\"domain\":\"a.com\"}\n{broken\n" => "1 a.com", [(2, "{broken", BAD)], 0, "";
        "several in a text": "{\"domain\":\"a.com, b.com\"}\n" => "1 a.com,1 b.com", [], 0, "";
        "a JSON array": "[\"a.com\",\n \"b.com\", 5]" => "1 a.com,2 b.com", [(3, "5", BAD)], 0, "";
        "a JSON array of objects": "[{\"name\": \"Anna\", \"website\": \"a.com\"}, {\"website\": \"b.com\"}]" => "1 a.com,2 b.com", [], 0, "website h";
        "a JSON document": "{\"domains\": [\"a.com\", \"b.com\"]}" => "1 a.com,2 b.com", [], 0, "";
    }
}

#[test]
fn each_variant_is_read_as_it_is_meant() {
    let variants = variants();
    assert!(variants.len() >= 150, "{}", variants.len());
    let failures: Vec<String> = variants.iter().filter_map(difference).collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

fn difference(variant: &Variant) -> Option<String> {
    let source = Source {
        content: &variant.content,
        form: Form::Unknown,
        ..Source::default()
    };
    let list = match source.read() {
        Ok(list) => list,
        Err(error) => return Some(format!("{}: {error}", variant.what)),
    };
    let wanted = variant.rejected.iter();
    let wanted: Vec<_> = wanted
        .map(|(line, input, reason)| (*line, (*input).to_owned(), (*reason).to_owned()))
        .collect();
    let is_right = accepted(&list) == variant.accepted
        && rejected(&list) == wanted
        && list.duplicates == variant.duplicates
        && column(&list) == variant.column;
    let read = (accepted(&list), rejected(&list), list.duplicates, column(&list));
    (!is_right).then(|| format!("{}: {read:?}", variant.what))
}

fn accepted(list: &BatchList) -> String {
    let lines = list
        .accepted
        .iter()
        .map(|(line, domain)| format!("{line} {domain}"));
    lines.collect::<Vec<_>>().join(",")
}

fn rejected(list: &BatchList) -> Vec<(u32, String, String)> {
    let lines = list.rejected.iter();
    lines
        .map(|rejected| (rejected.line, rejected.input.clone(), rejected.reason.clone()))
        .collect()
}

fn column(list: &BatchList) -> String {
    let Some(column) = &list.column else {
        return String::new();
    };
    let number = column
        .number
        .map(|number| format!("{number} "))
        .unwrap_or_default();
    let chosen_by = match column.chosen_by {
        ChosenBy::Header => "h",
        ChosenBy::Content => "c",
        ChosenBy::EmailAddresses => "e",
        ChosenBy::Request => "r",
    };
    format!("{number}{} {chosen_by}", column.name)
}
