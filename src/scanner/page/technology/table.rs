//! The signs by which technologies are known. Facts of our own gathering; no community set is copied.

/// Where a sign is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Contents of `<meta name=generator>`.
    Generator,
    /// URLs of scripts, styles, frames.
    Asset,
    /// Insides of start tags.
    Tag,
    /// Inline scripts.
    Script,
    /// Comments.
    Comment,
    /// `name: value` of header fields.
    Header,
    /// `name: content` of metas.
    Meta,
    /// Targets of `<link>`.
    Link,
}

impl Place {
    /// Every place, in the order of the variants.
    pub(super) const ALL: [Self; 8] = [
        Self::Generator,
        Self::Asset,
        Self::Tag,
        Self::Script,
        Self::Comment,
        Self::Header,
        Self::Meta,
        Self::Link,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Asset => "asset",
            Self::Tag => "tag",
            Self::Script => "script",
            Self::Comment => "comment",
            Self::Header => "header",
            Self::Meta => "meta",
            Self::Link => "link",
        }
    }
}

/// A technology: name, categories, what it implies, and its signs (place, pattern whose first group is the version,
/// confidence in percent).
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) categories: &'static [&'static str],
    pub(super) implies: &'static [&'static str],
    pub(super) signs: &'static [(Place, &'static str, u8)],
}

use Place::{Asset, Comment, Generator, Header, Link, Meta, Script, Tag};

const fn entry(
    name: &'static str,
    categories: &'static [&'static str],
    implies: &'static [&'static str],
    signs: &'static [(Place, &'static str, u8)],
) -> Entry {
    Entry {
        name,
        categories,
        implies,
        signs,
    }
}

const PHP: &[&str] = &["PHP"];
const WORDPRESS: &[&str] = &["WordPress"];

/// In the order in which results are told.
#[rustfmt::skip]
pub(super) const TECHNOLOGIES: &[Entry] = &[
    // -- content management ---------------------------------------------------------------------------------------
    entry("WordPress", &["cms"], PHP, &[
        (Generator, r"^WordPress(?: (\d[\w.-]*))?", 100),
        (Asset, r"/wp-includes/", 100),
        (Asset, r"/wp-content/(?:themes|plugins|cache|mu-plugins)/", 100),
        (Link, r"^https://api\.w\.org/|/wp-json/?$|/xmlrpc\.php\?rsd", 100),
        // Only of this site: pictures of other people's WordPress are shown everywhere.
        (Tag, r#"["'=](?:https?:)?(?:/[\w-]+){0,3}/?wp-(?:content|includes)/"#, 90),
        (Header, r"^link: .*api\.w\.org|^x-pingback: .*/xmlrpc\.php", 100),
        (Script, r"/wp-includes\\?/js|wp-emoji-release\.min\.js", 90),
    ]),
    entry("Drupal", &["cms"], PHP, &[
        (Generator, r"^Drupal(?: ([\d.]+))?", 100),
        (Header, r"^x-generator: drupal(?: ([\d.]+))?|^x-drupal-", 100),
        (Asset, r"/sites/(?:default|all)/(?:themes|modules|files)/|/core/misc/drupal", 90),
        (Tag, r"data-drupal-|drupal-settings-json", 100),
        (Script, r"jQuery\.extend\(Drupal\.settings", 100),
    ]),
    entry("Joomla", &["cms"], PHP, &[
        (Generator, r"^Joomla!?(?: ([\d.]+))?", 100),
        (Asset, r"/media/(?:system|jui)/(?:js|css)/|/media/vendor/joomla", 90),
        (Tag, r"joomla-script-options", 100),
    ]),
    entry("TYPO3", &["cms"], PHP, &[
        (Generator, r"^TYPO3(?: CMS)?(?: ([\d.]+))?", 100),
        (Asset, r"/?typo3(?:temp|conf)/", 100),
        (Comment, r"powered by TYPO3", 90),
    ]),
    entry("Ghost", &["cms"], &["Node.js"], &[
        (Generator, r"^Ghost(?: ([\d.]+))?", 100),
        (Header, r"^x-ghost-cache-status:", 100),
    ]),
    entry("Contao", &["cms"], PHP, &[(Generator, r"^Contao", 100)]),
    entry("Craft CMS", &["cms"], PHP, &[(Header, r"^x-powered-by: .*Craft CMS|^set-cookie: CraftSessionId=", 100)]),
    entry("Concrete CMS", &["cms"], PHP, &[(Generator, r"^concrete(?:5| CMS)(?: - ([\d.]+))?", 100)]),
    entry("Sitecore", &["cms"], &[], &[(Header, r"^set-cookie: SC_ANALYTICS_GLOBAL_COOKIE", 100), (Tag, r"/-/media/", 60)]),
    entry("Adobe Experience Manager", &["cms"], &[], &[(Tag, r"/etc\.clientlibs/|/etc/clientlibs/|/etc/designs/", 90)]),
    entry("MediaWiki", &["cms"], PHP, &[(Generator, r"^MediaWiki(?: ([\d.]+))?", 100)]),
    entry("Discourse", &["cms"], &[], &[(Generator, r"^Discourse(?: ([\d.]+))?", 100)]),
    entry("Blogger", &["cms"], &[], &[(Generator, r"^blogger", 100)]),
    entry("Medium", &["cms"], &[], &[(Meta, r"^al:android:package: com\.medium\.reader", 80)]),
    entry("Hugo", &["cms"], &[], &[(Generator, r"^Hugo(?: ([\d.]+))?", 100)]),
    entry("Jekyll", &["cms"], &[], &[(Generator, r"^Jekyll(?: v?([\d.]+))?", 100), (Comment, r"Begin Jekyll SEO tag v?([\d.]+)", 90)]),
    entry("Wix", &["website builder"], &[], &[
        (Generator, r"^Wix\.com", 100),
        (Asset, r"static\.parastorage\.com|static\.wixstatic\.com", 90),
        (Header, r"^x-wix-", 100),
    ]),
    entry("Squarespace", &["website builder"], &[], &[
        (Generator, r"^Squarespace", 100),
        (Asset, r"assets\.squarespace\.com|static1\.squarespace\.com", 90),
        (Script, r"Static\.SQUARESPACE_CONTEXT", 100),
        (Header, r"^server: squarespace", 100),
    ]),
    entry("Webflow", &["website builder"], &[], &[
        (Generator, r"^Webflow", 100),
        (Tag, r"data-wf-(?:site|page)=", 100),
        (Asset, r"assets(?:-global)?\.website-files\.com|cdn\.prod\.website-files\.com", 80),
    ]),
    entry("Jimdo", &["website builder"], &[], &[(Generator, r"^Jimdo", 100), (Asset, r"jimdo(?:-storage|static|fp)?\.(?:com|freetls)|assets\.jimstatic\.com", 90)]),
    entry("Weebly", &["website builder"], &[], &[(Asset, r"cdn\d*\.editmysite\.com", 90)]),
    entry("Duda", &["website builder"], &[], &[(Asset, r"irp\.cdn-website\.com|cdn-website\.com/.*dmjs|multiscreensite\.com", 90)]),
    entry("GoDaddy Website Builder", &["website builder"], &[], &[(Generator, r"Go ?Daddy Website Builder(?: ([\d.]+))?", 100)]),
    entry("Framer", &["website builder"], &["React"], &[(Generator, r"^Framer", 100), (Asset, r"framerusercontent\.com", 90)]),
    // -- shops ----------------------------------------------------------------------------------------------------
    entry("WooCommerce", &["ecommerce"], WORDPRESS, &[
        (Generator, r"^WooCommerce(?: ([\d.]+))?", 100),
        (Asset, r"/plugins/woocommerce/.*?(?:[?&]ver=([\d.]+))?$", 100),
        (Tag, r#"class=["'][^"']*\bwoocommerce(?:-page|-js| |["'])"#, 80),
    ]),
    entry("Shopify", &["ecommerce"], &[], &[
        (Asset, r"cdn\.shopify\.com|/cdn/shop/(?:t|files)/", 100),
        (Header, r"^x-shopify-stage:|^x-shopid:|^powered-by: shopify", 100),
        (Script, r"Shopify\.(?:theme|shop|routes)\s*=", 100),
    ]),
    entry("Magento", &["ecommerce"], PHP, &[
        (Tag, r"text/x-magento-init|data-mage-init", 100),
        (Asset, r"/static/(?:version\d+/)?frontend/|/skin/frontend/|/mage/", 80),
        (Header, r"^x-magento-", 100),
    ]),
    entry("PrestaShop", &["ecommerce"], PHP, &[
        (Generator, r"^PrestaShop", 100),
        (Script, r"var prestashop\s*=", 100),
        (Header, r"^powered-by: prestashop|^set-cookie: PrestaShop-", 100),
    ]),
    entry("Shopware", &["ecommerce"], PHP, &[(Meta, r"^application-name: Shopware", 100), (Tag, r"data-shopware|/bundles/storefront/", 90)]),
    entry("BigCommerce", &["ecommerce"], &[], &[(Asset, r"cdn\d*\.bigcommerce\.com", 100)]),
    entry("OpenCart", &["ecommerce"], PHP, &[(Asset, r"catalog/view/(?:theme|javascript)/", 90)]),
    entry("Ecwid", &["ecommerce"], &[], &[(Asset, r"app\.ecwid\.com", 100)]),
    // -- page builders and plugins ----------------------------------------------------------------------------------
    entry("Elementor", &["page builder"], WORDPRESS, &[
        (Generator, r"^Elementor(?: ([\d.]+))?", 100),
        (Asset, r"/plugins/elementor/assets/.*?(?:[?&]ver=([\d.]+))?$", 100),
        (Script, r#""version":"([\d.]+)","is_static":"#, 100),
        (Script, r"elementorFrontendConfig\s*=", 100),
        (Tag, r"data-elementor-(?:id|type|settings)=", 100),
        (Asset, r"/plugins/elementor(?:-pro)?/", 90),
    ]),
    entry("Divi", &["page builder"], WORDPRESS, &[
        (Generator, r"^Divi v\.?([\d.]+)", 100),
        (Asset, r"/themes/Divi/.*?(?:[?&]ver=([\d.]+))?$", 100),
        (Tag, r"\bet_pb_(?:section|row|module)\b", 90),
    ]),
    entry("WPBakery", &["page builder"], WORDPRESS, &[
        (Generator, r"WPBakery Page Builder", 100),
        (Asset, r"/plugins/js_composer/.*?(?:[?&]ver=([\d.]+))?$", 100),
    ]),
    entry("Beaver Builder", &["page builder"], WORDPRESS, &[(Asset, r"/plugins/(?:bb-plugin|beaver-builder-lite-version)/", 100)]),
    entry("Bricks", &["page builder"], WORDPRESS, &[(Asset, r"/themes/bricks/.*?(?:[?&]ver=([\d.]+))?$", 100)]),
    entry("Avada", &["page builder"], WORDPRESS, &[(Asset, r"/themes/Avada/", 100)]),
    entry("Slider Revolution", &["widget"], WORDPRESS, &[
        (Generator, r"Slider Revolution ([\d.]+)", 100),
        (Asset, r"/plugins/revslider/.*?(?:[?&]ver=([\d.]+))?$", 100),
    ]),
    entry("Yoast SEO", &["seo"], WORDPRESS, &[
        (Comment, r"optimized with the Yoast SEO(?: Premium)? plugin v([\d.]+)", 100),
        (Tag, r"yoast-schema-graph", 100),
    ]),
    entry("Rank Math SEO", &["seo"], WORDPRESS, &[(Comment, r"Rank Math|Search Engine Optimization by Rank Math", 100), (Tag, r"rank-math-schema", 100)]),
    entry("All in One SEO", &["seo"], WORDPRESS, &[(Generator, r"^All in One SEO(?: \(AIOSEO\)| Pro)?(?: v?([\d.]+))?", 100), (Comment, r"All in One SEO(?: Pro)? ([\d.]+)", 100)]),
    entry("WPML", &["i18n"], WORDPRESS, &[(Generator, r"^WPML ver:([\d.]+)", 100), (Asset, r"/plugins/sitepress-multilingual-cms/", 100)]),
    entry("Contact Form 7", &["form"], WORDPRESS, &[(Asset, r"/plugins/contact-form-7/.*?(?:[?&]ver=([\d.]+))?$", 100)]),
    entry("WPForms", &["form"], WORDPRESS, &[(Asset, r"/plugins/wpforms(?:-lite)?/.*?(?:[?&]ver=([\d.]+))?$", 100), (Tag, r"wpforms-(?:form|container)", 80)]),
    entry("WP Rocket", &["cache"], WORDPRESS, &[(Comment, r"cached by WP Rocket|like it\? Powered by WP Rocket|optimized by WP Rocket", 100), (Tag, r"rocket-lazyload|RocketLazyLoad", 80)]),
    // -- frameworks and libraries -----------------------------------------------------------------------------------
    entry("jQuery", &["library"], &[], &[
        (Asset, r"jquery(?:-core)?[-.@/]v?(\d+\.\d+(?:\.\d+)?)(?:[/.]|$)", 100),
        (Asset, r"(?:^|/)jquery(?:\.slim)?(?:\.min)?\.js(?:.*[?&](?:ver|v)=(\d+\.[\d.]+))?", 100),
        (Asset, r"/jquery/(\d+\.\d+\.\d+)/jquery", 100),
    ]),
    entry("jQuery UI", &["library"], &["jQuery"], &[(Asset, r"jquery-?ui[^?]*?(?:[-/@](\d+\.\d+\.\d+))?[^?]*\.(?:js|css)", 90)]),
    entry("Bootstrap", &["css framework"], &[], &[
        (Asset, r"bootstrap(?:@|/|-)v?(\d+\.\d+\.\d+)", 100),
        (Asset, r"(?:^|/)bootstrap(?:\.bundle)?(?:\.min)?\.(?:css|js)(?:.*[?&](?:ver|v)=(\d+\.[\d.]+))?", 100),
    ]),
    entry("Tailwind CSS", &["css framework"], &[], &[(Asset, r"cdn\.tailwindcss\.com|tailwind(?:\.min)?\.css", 90)]),
    entry("Foundation", &["css framework"], &[], &[(Asset, r"(?:^|/)foundation(?:\.min)?\.(?:css|js)", 90)]),
    entry("Font Awesome", &["font"], &[], &[
        (Asset, r"font-?awesome[/@-]v?(\d+\.\d+\.\d+)", 100),
        (Asset, r"font-?awesome|kit\.fontawesome\.com|use\.fontawesome\.com", 100),
    ]),
    entry("Google Fonts", &["font"], &[], &[(Asset, r"fonts\.googleapis\.com", 100), (Link, r"fonts\.(?:googleapis|gstatic)\.com", 90)]),
    entry("React", &["framework"], &[], &[
        (Asset, r"(?:^|/)react(?:-dom)?(?:@(\d+\.\d+\.\d+))?[^?]*?(?:\.production|\.development)?(?:\.min)?\.js", 90),
        (Tag, r"data-react(?:root|id|-helmet)", 100),
    ]),
    entry("Next.js", &["framework"], &["React"], &[
        (Asset, r"/_next/static/", 100),
        (Tag, r#"id=["']__next["']|id=["']?__NEXT_DATA__"#, 100),
        (Header, r"^x-powered-by: next\.js(?: ([\d.]+))?", 100),
    ]),
    entry("Gatsby", &["framework"], &["React"], &[(Generator, r"^Gatsby(?: ([\d.]+))?", 100), (Tag, r#"id=["']___gatsby["']"#, 100)]),
    entry("Remix", &["framework"], &["React"], &[(Script, r"window\.__remixContext", 100)]),
    entry("Vue.js", &["framework"], &[], &[
        (Asset, r"(?:^|/)vue(?:@|/|-)v?(\d+\.\d+\.\d+)", 100),
        (Asset, r"(?:^|/)vue(?:\.global|\.runtime)?(?:\.prod)?(?:\.min)?\.js", 90),
        (Tag, r"\sdata-v-app|\sdata-server-rendered=", 90),
    ]),
    entry("Nuxt", &["framework"], &["Vue.js"], &[(Asset, r"/_nuxt/", 100), (Tag, r#"id=["']__nuxt["']"#, 100), (Script, r"window\.__NUXT__", 100)]),
    entry("Angular", &["framework"], &[], &[(Tag, r#"ng-version=["']([\d.]+)"#, 100), (Asset, r"(?:^|/)angular\.io|/@angular/core@(\d+\.\d+\.\d+)", 90)]),
    entry("AngularJS", &["framework"], &[], &[
        (Asset, r"angular(?:js)?[/@-](1\.\d+\.\d+)", 100),
        (Asset, r"(?:^|/)angular(?:\.min)?\.js", 90),
        (Tag, r"\sng-(?:app|controller)(?:=|\s|$)", 80),
    ]),
    entry("Svelte", &["framework"], &[], &[(Tag, r#"class=["'][^"']*\bsvelte-[a-z0-9]{5,}"#, 100), (Asset, r"/_app/immutable/", 90)]),
    entry("Astro", &["framework"], &[], &[(Generator, r"^Astro v?([\d.]+)", 100), (Tag, r"^astro-island\b", 90)]),
    entry("Alpine.js", &["framework"], &[], &[(Asset, r"alpinejs(?:@v?(\d+\.\d+\.\d+))?|/alpine(?:\.min)?\.js", 100)]),
    entry("htmx", &["library"], &[], &[(Asset, r"htmx(?:\.org)?(?:@(\d+\.\d+\.\d+))?(?:/|\.min|\.js)", 90)]),
    entry("Livewire", &["framework"], &["Laravel"], &[(Tag, r"\swire:(?:id|snapshot|initial-data)=", 100), (Asset, r"/livewire(?:\.min)?\.js", 90)]),
    entry("Laravel", &["framework"], PHP, &[(Header, r"^set-cookie: (?:laravel_session|XSRF-TOKEN)=", 80)]),
    entry("Ruby on Rails", &["framework"], &[], &[(Meta, r"^csrf-param: authenticity_token", 80), (Header, r"^x-powered-by: .*phusion passenger", 60)]),
    entry("ASP.NET", &["framework"], &[], &[(Header, r"^x-aspnet-version: ([\d.]+)|^x-powered-by: asp\.net|^set-cookie: ASP\.NET_SessionId", 100), (Tag, r"__VIEWSTATE", 90)]),
    entry("Express", &["framework"], &["Node.js"], &[(Header, r"^x-powered-by: express", 100)]),
    // -- analytics --------------------------------------------------------------------------------------------------
    entry("Google Analytics", &["analytics"], &[], &[
        (Asset, r"google-analytics\.com/(?:ga|urchin|analytics)\.js|googletagmanager\.com/gtag/js", 100),
        (Script, r"google-analytics\.com/(?:ga|analytics)\.js|gtag\(\s*['\x22]config['\x22]\s*,\s*['\x22](?:G|UA)-", 100),
    ]),
    entry("Google Tag Manager", &["tag manager"], &[], &[
        (Asset, r"googletagmanager\.com/(?:gtm\.js|ns\.html)", 100),
        (Script, r"googletagmanager\.com/gtm\.js", 100),
    ]),
    entry("Facebook Pixel", &["analytics"], &[], &[
        (Script, r"connect\.facebook\.net/[^/]+/fbevents\.js|fbq\(\s*['\x22]init", 100),
        (Asset, r"connect\.facebook\.net/[^/]+/fbevents\.js", 100),
        (Tag, r"facebook\.com/tr\?", 100),
    ]),
    entry("Matomo", &["analytics"], &[], &[
        (Asset, r"(?:matomo|piwik)(?:\.min)?\.js|cdn\.matomo\.cloud", 100),
        (Script, r"_paq\.push\(", 90),
    ]),
    entry("Hotjar", &["analytics"], &[], &[(Script, r"static\.hotjar\.com|_hjSettings", 100), (Asset, r"static\.hotjar\.com", 100)]),
    entry("Microsoft Clarity", &["analytics"], &[], &[(Script, r"clarity\.ms/tag/", 100), (Asset, r"clarity\.ms/tag/", 100)]),
    entry("Plausible", &["analytics"], &[], &[(Asset, r"plausible\.io/js/", 100)]),
    entry("Fathom", &["analytics"], &[], &[(Asset, r"cdn\.usefathom\.com", 100)]),
    entry("Segment", &["analytics"], &[], &[(Script, r"cdn\.segment\.com/analytics\.js", 100), (Asset, r"cdn\.segment\.com/analytics\.js", 100)]),
    entry("Mixpanel", &["analytics"], &[], &[(Script, r"cdn\.mxpnl\.com|mixpanel\.init", 100)]),
    entry("etracker", &["analytics"], &[], &[(Asset, r"static\.etracker\.com|code\.etracker\.com", 100)]),
    entry("Cloudflare Web Analytics", &["analytics"], &[], &[(Asset, r"static\.cloudflareinsights\.com/beacon", 100)]),
    entry("LinkedIn Insight Tag", &["analytics"], &[], &[(Script, r"snap\.licdn\.com/li\.lms-analytics|_linkedin_partner_id", 100)]),
    entry("TikTok Pixel", &["analytics"], &[], &[(Script, r"analytics\.tiktok\.com/i18n/pixel", 100)]),
    entry("Google AdSense", &["advertising"], &[], &[(Asset, r"pagead2\.googlesyndication\.com", 100)]),
    // -- widgets ----------------------------------------------------------------------------------------------------
    entry("Intercom", &["chat"], &[], &[(Script, r"widget\.intercom\.io|intercomSettings", 100), (Asset, r"widget\.intercom\.io|js\.intercomcdn\.com", 100)]),
    entry("Drift", &["chat"], &[], &[(Script, r"js\.driftt?\.com|drift\.load\(", 100), (Asset, r"js\.driftt?\.com", 100)]),
    entry("Zendesk", &["chat"], &[], &[(Script, r"static\.zdassets\.com|zEmbed|v2\.zopim\.com", 100), (Asset, r"static\.zdassets\.com|v2\.zopim\.com", 100)]),
    entry("HubSpot", &["marketing"], &[], &[
        (Asset, r"js(?:-[a-z0-9]+)?\.(?:hs-scripts|hsforms|hs-analytics|hubspot)\.(?:com|net)|js\.hscollectedforms\.net", 100),
        (Generator, r"^HubSpot", 100),
        (Script, r"hbspt\.(?:forms|cta)", 100),
    ]),
    entry("Mailchimp", &["marketing"], &[], &[
        (Asset, r"chimpstatic\.com|cdn-images\.mailchimp\.com", 100),
        (Tag, r"list-manage\.com/subscribe", 100),
        (Script, r"chimpstatic\.com/mcjs", 100),
    ]),
    entry("Klaviyo", &["marketing"], &[], &[(Asset, r"static\.klaviyo\.com", 100)]),
    entry("Brevo", &["marketing"], &[], &[(Asset, r"sibautomation\.com|sibforms\.com", 100)]),
    entry("Tawk.to", &["chat"], &[], &[(Script, r"embed\.tawk\.to", 100), (Asset, r"embed\.tawk\.to", 100)]),
    entry("Tidio", &["chat"], &[], &[(Asset, r"code\.tidio\.co", 100)]),
    entry("LiveChat", &["chat"], &[], &[(Script, r"cdn\.livechatinc\.com", 100)]),
    entry("Crisp", &["chat"], &[], &[(Script, r"client\.crisp\.chat", 100)]),
    entry("Calendly", &["widget"], &[], &[(Asset, r"assets\.calendly\.com|calendly\.com/", 100)]),
    entry("reCAPTCHA", &["widget"], &[], &[(Asset, r"(?:google\.com|recaptcha\.net)/recaptcha/", 100)]),
    entry("Google Maps", &["widget"], &[], &[(Asset, r"maps\.google(?:apis)?\.com|google\.[a-z.]+/maps/embed", 100)]),
    entry("YouTube", &["widget"], &[], &[(Asset, r"youtube(?:-nocookie)?\.com/embed/", 100)]),
    entry("Vimeo", &["widget"], &[], &[(Asset, r"player\.vimeo\.com", 100)]),
    entry("Trustpilot", &["widget"], &[], &[(Asset, r"widget\.trustpilot\.com", 100)]),
    entry("Cookiebot", &["cookie consent"], &[], &[(Asset, r"consent\.cookiebot\.(?:com|eu)", 100)]),
    entry("OneTrust", &["cookie consent"], &[], &[(Asset, r"cdn\.cookielaw\.org|otSDKStub\.js", 100)]),
    entry("Usercentrics", &["cookie consent"], &[], &[(Asset, r"(?:app|privacy-proxy|web\.cmp)\.usercentrics\.eu", 100)]),
    entry("Borlabs Cookie", &["cookie consent"], WORDPRESS, &[(Asset, r"/plugins/borlabs-cookie/", 100), (Tag, r"borlabs-cookie", 80)]),
    entry("Complianz", &["cookie consent"], WORDPRESS, &[(Asset, r"/plugins/complianz-gdpr", 100)]),
    entry("CookieYes", &["cookie consent"], &[], &[(Asset, r"cdn-cookieyes\.com|/plugins/cookie-law-info/", 100)]),
    entry("Stripe", &["payment"], &[], &[(Asset, r"js\.stripe\.com", 100)]),
    entry("PayPal", &["payment"], &[], &[(Asset, r"paypal\.com/sdk/js|paypalobjects\.com", 90)]),
    // -- servers ----------------------------------------------------------------------------------------------------
    entry("Cloudflare", &["cdn"], &[], &[(Header, r"^server: cloudflare|^cf-ray:", 100), (Asset, r"/cdn-cgi/(?:scripts|challenge-platform)/", 90)]),
    entry("Amazon CloudFront", &["cdn"], &[], &[(Header, r"^x-amz-cf-id:|^via: .*cloudfront", 100)]),
    entry("Fastly", &["cdn"], &[], &[(Header, r"^x-served-by: cache-|^x-fastly-request-id:", 90)]),
    entry("Akamai", &["cdn"], &[], &[(Header, r"^x-akamai-|^server: akamaighost", 100)]),
    entry("Vercel", &["hosting"], &[], &[(Header, r"^server: vercel|^x-vercel-id:", 100)]),
    entry("Netlify", &["hosting"], &[], &[(Header, r"^server: netlify|^x-nf-request-id:", 100)]),
    entry("GitHub Pages", &["hosting"], &[], &[(Header, r"^server: github\.com|^x-github-request-id:", 100)]),
    entry("WP Engine", &["hosting"], WORDPRESS, &[(Header, r"^x-powered-by: wp engine|^wpe-backend:", 100)]),
    entry("Kinsta", &["hosting"], WORDPRESS, &[(Header, r"^x-kinsta-cache:", 100)]),
    entry("nginx", &["server"], &[], &[(Header, r"^server: nginx(?:/([\d.]+))?", 100)]),
    entry("OpenResty", &["server"], &["nginx"], &[(Header, r"^server: openresty(?:/([\d.]+))?", 100)]),
    entry("Apache", &["server"], &[], &[(Header, r"^server: apache(?:/([\d.]+))?", 100)]),
    entry("LiteSpeed", &["server"], &[], &[(Header, r"^server: litespeed|^x-litespeed-cache", 100)]),
    entry("Microsoft IIS", &["server"], &[], &[(Header, r"^server: microsoft-iis(?:/([\d.]+))?", 100)]),
    entry("Caddy", &["server"], &[], &[(Header, r"^server: caddy", 100)]),
    entry("Varnish", &["cache"], &[], &[(Header, r"^x-varnish:|^via: .*varnish", 100)]),
    entry("PHP", &["language"], &[], &[(Header, r"^x-powered-by: php(?:/([\d.]+))?|^set-cookie: PHPSESSID=", 100)]),
    entry("Node.js", &["language"], &[], &[(Header, r"^x-powered-by: node", 100)]),
];
