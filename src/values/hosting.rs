//! Recognises the CDN and the hosting provider of a site from the headers of its home page and from DNS. The tables
//! are our own: they contain the server names and hosts of well-known services.

use super::dns::{DnsRecords, Recognised, recognised};

/// Characters of a header that are kept as evidence.
const MAX_VALUE: usize = 150;

/// CDN services.
pub const CDN: Service = Service {
    headers: CDN_HEADERS,
    cnames: CDN_CNAMES,
    name_servers: &[],
};

/// Hosting services.
pub const HOSTING: Service = Service {
    headers: HOSTING_HEADERS,
    cnames: HOSTING_CNAMES,
    name_servers: HOSTING_NAME_SERVERS,
};

/// How services of a kind are recognised.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    headers: &'static [(&'static str, &'static str, &'static str)],
    cnames: &'static [(&'static str, &'static str)],
    name_servers: &'static [(&'static str, &'static str)],
}

impl Service {
    /// By the headers of an answer; names in lower case.
    pub fn of_headers<'a>(
        &self,
        headers: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
    ) -> Option<Recognised> {
        self.headers.iter().find_map(|(name, sign, service)| {
            let (_, value) = headers
                .clone()
                .find(|(known, value)| known == name && value.to_ascii_lowercase().contains(sign))?;
            let value: String = value.chars().take(MAX_VALUE).collect();
            Some(Recognised {
                name: (*service).to_owned(),
                evidence: format!("header {name}: {value}"),
            })
        })
    }

    /// By the CNAME of `www.`, or by name servers that serve only the sites of one service.
    pub fn of_dns(&self, dns: &DnsRecords) -> Option<Recognised> {
        recognised(self.cnames, hosts(&dns.www_cname), "CNAME www")
            .or_else(|| recognised(self.name_servers, hosts(&dns.ns), "NS"))
    }
}

fn hosts(records: &[String]) -> impl Iterator<Item = (&str, &str)> {
    records.iter().map(|host| (host.as_str(), host.as_str()))
}

/// The name of a header, a part of its value in lower case (empty for any), and the service.
#[rustfmt::skip]
const CDN_HEADERS: &[(&str, &str, &str)] = &[
    ("cf-ray", "", "Cloudflare"), ("server", "cloudflare", "Cloudflare"), ("x-amz-cf-id", "", "Amazon CloudFront"),
    ("via", "(cloudfront)", "Amazon CloudFront"), ("akamai-grn", "", "Akamai"), ("x-akamai-transformed", "", "Akamai"),
    ("server", "akamaighost", "Akamai"), ("server", "akamainetstorage", "Akamai"), ("x-fastly-request-id", "", "Fastly"),
    ("x-served-by", "cache-", "Fastly"), ("x-azure-ref", "", "Azure Front Door"), ("server", "bunnycdn", "bunny.net"),
    ("x-sucuri-id", "", "Sucuri"), ("server", "sucuri/", "Sucuri"), ("x-iinfo", "", "Imperva"),
    ("x-cdn", "imperva", "Imperva"), ("x-cdn", "incapsula", "Imperva"), ("server", "keycdn", "KeyCDN"),
    ("server", "cdn77", "CDN77"), ("x-77-nzt", "", "CDN77"), ("x-qc-pop", "", "QUIC.cloud"), ("server", "hcdn", "Hostinger CDN"),
    ("server", "ddos-guard", "DDoS-Guard"), ("server", "qrator", "Qrator"), ("server", "myracloud", "Myra"),
    ("server", "arvancloud", "ArvanCloud"), ("x-nws-log-uuid", "", "Tencent Cloud CDN"),
];

/// The same for hosting. A named provider comes before the one behind it.
#[rustfmt::skip]
const HOSTING_HEADERS: &[(&str, &str, &str)] = &[
    ("x-vercel-id", "", "Vercel"), ("server", "vercel", "Vercel"), ("x-nf-request-id", "", "Netlify"),
    ("server", "netlify", "Netlify"), ("x-github-request-id", "", "GitHub Pages"), ("server", "github.com", "GitHub Pages"),
    ("x-shopid", "", "Shopify"), ("powered-by", "shopify", "Shopify"), ("x-shopify-stage", "", "Shopify"),
    ("x-wix-request-id", "", "Wix"), ("server", "pepyaka", "Wix"), ("server", "squarespace", "Squarespace"),
    ("wpe-backend", "", "WP Engine"), ("x-powered-by", "wp engine", "WP Engine"), ("x-kinsta-cache", "", "Kinsta"),
    ("ki-edge", "", "Kinsta"), ("x-pantheon-styx-hostname", "", "Pantheon"), ("x-styx-req-id", "", "Pantheon"),
    ("host-header", "wordpress.com", "WordPress.com"), ("x-powered-by", "wordpress vip", "WordPress VIP"),
    ("x-fw-hash", "", "Flywheel"), ("x-hs-hub-id", "", "HubSpot"), ("server", "framer/", "Framer"),
    ("x-jimdo-instance", "", "Jimdo"), ("via", "vegur", "Heroku"), ("server", "heroku", "Heroku"),
    ("fly-request-id", "", "Fly.io"), ("server", "fly/", "Fly.io"), ("x-render-origin-server", "", "Render"),
    ("x-railway-edge", "", "Railway"), ("x-onecom-cluster-name", "", "one.com"), ("platform", "hostinger", "Hostinger"),
    ("server", "dps/", "GoDaddy Websites"), ("server", "amazons3", "Amazon S3"), ("via", "1.1 google", "Google Cloud"),
];

/// Ends of host names.
#[rustfmt::skip]
const CDN_CNAMES: &[(&str, &str)] = &[
    ("cdn.cloudflare.net", "Cloudflare"), ("cloudfront.net", "Amazon CloudFront"),
    ("edgekey.net edgesuite.net akamaiedge.net akamai.net akamaized.net", "Akamai"), ("fastly.net fastlylb.net", "Fastly"),
    ("azureedge.net azurefd.net", "Azure Front Door"), ("b-cdn.net", "bunny.net"), ("sucuri.net", "Sucuri"),
    ("incapdns.net", "Imperva"), ("kxcdn.com", "KeyCDN"), ("cdn77.org cdn77.net", "CDN77"), ("gcdn.co", "Gcore"),
    ("cdn.hstgr.net", "Hostinger CDN"), ("alikunlun.com cdngslb.com", "Alibaba Cloud CDN"), ("cdn.dnsv1.com", "Tencent Cloud CDN"),
    ("wscdns.com wsglb0.com", "Wangsu"),
];

#[rustfmt::skip]
const HOSTING_CNAMES: &[(&str, &str)] = &[
    ("vercel-dns.com vercel.app", "Vercel"), (".vercel-dns-*", "Vercel"), ("netlify.app netlify.com netlifyglobalcdn.com", "Netlify"),
    ("github.io", "GitHub Pages"), ("gitlab.io", "GitLab Pages"), ("pages.dev workers.dev", "Cloudflare Pages"),
    ("myshopify.com", "Shopify"), ("wixdns.net", "Wix"), ("squarespace.com", "Squarespace"), ("wpengine.com wpenginepowered.com", "WP Engine"),
    ("kinsta.cloud", "Kinsta"), ("pantheonsite.io", "Pantheon"), ("wordpress.com", "WordPress.com"), ("go-vip.net", "WordPress VIP"),
    ("flywheelsites.com", "Flywheel"), ("hubspot.net", "HubSpot"), ("webflow.com webflow.io", "Webflow"), ("framer.app framer.website", "Framer"),
    ("jimdo.com", "Jimdo"), ("weebly.com", "Weebly"), ("multiscreensite.com", "Duda"), ("mybigcommerce.com", "BigCommerce"),
    ("ghost.io", "Ghost"), ("herokudns.com herokuapp.com", "Heroku"), ("fly.dev", "Fly.io"), ("onrender.com", "Render"),
    ("up.railway.app", "Railway"), ("azurewebsites.net azurestaticapps.net", "Azure App Service"), ("elasticbeanstalk.com", "AWS Elastic Beanstalk"),
    ("elb.amazonaws.com", "Amazon Web Services"), ("amplifyapp.com", "AWS Amplify"), ("ghs.googlehosted.com ghs.google.com", "Google"),
    ("web.app firebaseapp.com", "Firebase Hosting"), ("ondigitalocean.app", "DigitalOcean App Platform"), ("myraidbox.de", "Raidboxes"),
];

/// Who runs a zone need not host the site, except where a service has these servers for its own sites.
const HOSTING_NAME_SERVERS: &[(&str, &str)] = &[("wixdns.net", "Wix")];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(service: Service, headers: &[(&str, &str)]) -> Option<(String, String)> {
        let found = service.of_headers(&headers.iter().copied())?;
        Some((found.name, found.evidence))
    }

    fn named(service: Service, headers: &[(&str, &str)]) -> Option<String> {
        of(service, headers).map(|(name, _)| name)
    }

    #[test]
    fn headers_tell_who_delivers_and_who_hosts() {
        let github = [
            ("server", "GitHub.com"),
            ("x-served-by", "cache-fra-1"),
            ("via", "1.1 varnish"),
        ];
        assert_eq!(named(CDN, &github).as_deref(), Some("Fastly"));
        assert_eq!(named(HOSTING, &github).as_deref(), Some("GitHub Pages"));
        let shop = [
            ("cf-ray", "8a-FRA"),
            ("powered-by", "Shopify"),
            ("server", "cloudflare"),
        ];
        assert_eq!(
            of(CDN, &shop),
            Some(("Cloudflare".to_owned(), "header cf-ray: 8a-FRA".to_owned()))
        );
        assert_eq!(named(HOSTING, &shop).as_deref(), Some("Shopify"));
        let own = [
            ("server", "nginx"),
            ("via", "1.1 varnish"),
            ("x-served-by", "web1"),
        ];
        assert_eq!((named(CDN, &own), named(HOSTING, &own)), (None, None));
        let long = "x".repeat(9_000);
        assert!(of(CDN, &[("cf-ray", &long)]).unwrap().1.len() < 200);
    }

    #[test]
    fn names_tell_it_where_headers_do_not() {
        let dns = |www: &str, ns: &str| DnsRecords {
            www_cname: vec![www.to_owned()],
            ns: vec![ns.to_owned()],
            ..DnsRecords::default()
        };
        for (www, ns, cdn, hosting) in [
            ("acme.wpenginepowered.com", "", None, Some("WP Engine")),
            ("d1.cloudfront.net", "", Some("Amazon CloudFront"), None),
            ("abc.vercel-dns-017.com", "", None, Some("Vercel")),
            ("www.acme.test.cdn.cloudflare.net", "", Some("Cloudflare"), None),
            ("", "ns1.wixdns.net", None, Some("Wix")),
            // Who runs the zone need not deliver the site.
            ("acme.test", "a.ns.cloudflare.com", None, None),
            ("github.io.evil.test", "", None, None),
        ] {
            let dns = dns(www, ns);
            let name = |service: Service| service.of_dns(&dns).map(|found| found.name);
            assert_eq!(
                (name(CDN).as_deref(), name(HOSTING).as_deref()),
                (cdn, hosting),
                "{www} {ns}"
            );
        }
        let found = HOSTING.of_dns(&dns("acme.github.io", "")).unwrap();
        assert_eq!(found.evidence, "CNAME www acme.github.io");
    }
}
