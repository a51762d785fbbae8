//! Social networks, and the form of profile URLs in each of them.

/// A network.
pub(super) struct Network {
    pub(super) name: &'static str,
    /// Its hosts; `.*` for any suffix.
    pub(super) hosts: &'static str,
    /// The possible paths of a profile, the more specific first.
    pub(super) shapes: &'static [Shape],
    pub(super) handle: Handle,
    pub(super) deeper: Deeper,
    /// First path segments that are pages of the network itself instead of profiles.
    pub(super) own: &'static str,
}

/// A way to write a profile's path.
pub(super) struct Shape {
    /// The path before the name; empty if the name is the first segment.
    pub(super) prefix: &'static str,
    /// Segments after the prefix that belong to the profile: its name and, for some, its number. 0 if the query has the
    /// number instead.
    pub(super) segments: usize,
    /// The kind of profile, if a network has several: for example a company or a group.
    pub(super) kind: &'static str,
}

/// Which characters a name may have.
pub(super) enum Handle {
    Any,
    /// At most this many letters, digits and underscores.
    Word(usize),
    /// The same, and dots.
    Dotted(usize),
    /// Anything except digits alone, which identify a video.
    NoNumber,
}

/// Whether a longer path still means the profile (`/acme/about`).
pub(super) enum Deeper {
    Always,
    /// Only for the profile's own lists and tabs; anything else is a post or another page.
    Never,
    /// Unless one of these comes next.
    But(&'static str),
    /// Unless a number comes next.
    ButNumbers,
    /// Only for what a profile has saved or made; anything else is a board.
    Board,
}

const fn shape(prefix: &'static str, segments: usize, kind: &'static str) -> Shape {
    Shape {
        prefix,
        segments,
        kind,
    }
}

impl Network {
    /// The network at a host, also with `www.`, `m.`, a country or a locale in front, but not with `blog.` or others.
    pub(super) fn at(host: &str) -> Option<&'static Self> {
        NETWORKS.iter().find(|network| network.is_at(host))
    }

    fn is_at(&self, host: &str) -> bool {
        self.hosts.split(' ').any(|known| match known.strip_suffix(".*") {
            Some(name) => {
                let registrable = crate::scanner::site::registrable(host);
                let is_it = registrable.split('.').next() == Some(name);
                is_it && host.strip_suffix(registrable).is_some_and(is_front_door)
            }
            None => host.strip_suffix(known).is_some_and(is_front_door),
        })
    }

    /// Whether a word in the place of a name belongs to the network itself.
    pub(super) fn has_own(&self, word: &str) -> bool {
        let is_prefix = |shape: &Shape| {
            shape
                .prefix
                .split('/')
                .next()
                .is_some_and(|first| first.len() > 1 && first == word)
                || shape.prefix.strip_suffix('/') == Some(word)
        };
        self.own.split(' ').any(|own| own == word) || self.shapes.iter().any(is_prefix)
    }

    /// Whether a name is valid for this network. The network's own account is not: templates link to it.
    pub(super) fn may_be_called(&self, name: &str) -> bool {
        let is_script = || {
            name.rsplit_once('.')
                .is_some_and(|(_, end)| end.eq_ignore_ascii_case("php"))
        };
        // `t.me/+359888123456` is a chat with a number.
        let is_number = name
            .strip_prefix('+')
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if name.eq_ignore_ascii_case(self.name) || is_template(name) || is_script() || is_number {
            return false;
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match self.handle {
            Handle::Any => {
                name.chars().any(char::is_alphanumeric) && !name.contains(['{', '}', '<', '>', '$', '['])
            }
            Handle::Word(most) => (1..=most).contains(&name.len()) && name.bytes().all(is_word),
            Handle::Dotted(most) => {
                (1..=most).contains(&name.len()) && name.bytes().all(|byte| is_word(byte) || byte == b'.')
            }
            Handle::NoNumber => !name.bytes().all(|byte| byte.is_ascii_digit()),
        }
    }

    /// Whether a path that continues with this segment after the name still means the profile.
    pub(super) fn goes_on_with(&self, next: &str) -> bool {
        match self.deeper {
            Deeper::Always => true,
            // Lists and tabs of the profile.
            Deeper::Never => matches!(
                next,
                "with_replies"
                    | "media"
                    | "likes"
                    | "followers"
                    | "following"
                    | "tagged"
                    | "reels"
                    | "channel"
                    | "about"
                    | "info"
                    | "videos"
                    | "repositories"
            ),
            Deeper::But(others) => !others.split(' ').any(|other| other == next),
            Deeper::ButNumbers => !next.bytes().all(|byte| byte.is_ascii_digit()),
            Deeper::Board => next.starts_with('_') || matches!(next, "pins" | "boards"),
        }
    }
}

/// Whether a name is a placeholder of a template: `username`, `your-page`, `yourcompany`.
fn is_template(name: &str) -> bool {
    const THINGS: &[&str] = &[
        "",
        "name",
        "username",
        "user",
        "page",
        "pagename",
        "profile",
        "account",
        "channel",
        "handle",
        "company",
        "companyname",
        "business",
        "brand",
        "url",
        "link",
        "id",
        "site",
        "website",
    ];
    let name: String = name.chars().filter(|sign| sign.is_alphanumeric()).collect();
    let name = name.to_ascii_lowercase();
    let is_yours = name
        .strip_prefix("your")
        .is_some_and(|rest| THINGS.contains(&rest));
    is_yours
        || matches!(
            name.as_str(),
            "username" | "pagename" | "companyname" | "yourname" | "profilename"
        )
}

fn is_front_door(prefix: &str) -> bool {
    let Some(label) = prefix.strip_suffix('.') else {
        return prefix.is_empty();
    };
    let is_locale = matches!(label.len(), 2 | 5)
        && label.bytes().enumerate().all(|(at, byte)| {
            if at == 2 {
                byte == b'-'
            } else {
                byte.is_ascii_lowercase()
            }
        });
    is_locale
        || matches!(
            label,
            "www" | "m" | "mobile" | "web" | "ww" | "wwww" | "touch" | "mbasic"
        )
}

/// All known networks.
const NETWORKS: &[Network] = &[
    Network {
        name: "facebook",
        hosts: "facebook.com fb.com fb.me",
        shapes: &[
            shape("pages/category/", 2, ""),
            shape("pages/", 2, ""),
            shape("pg/", 1, ""),
            shape("people/", 2, ""),
            shape("groups/", 1, "group"),
            shape("profile.php", 0, ""),
            shape("group.php", 0, "group"),
            shape("p/", 1, ""),
            shape("", 1, ""),
        ],
        handle: Handle::Any,
        deeper: Deeper::But(
            "posts photos videos events reels reel permalink video photo notes offers albums",
        ),
        own: "sharer sharer.php share.php share dialog plugins tr events event.php hashtag login login.php logout.php home.php photo photo.php photos watch policies policy privacy help business ads v2.0 story.php permalink.php media legal about settings policy.php marketplace reel reels feed messages messenger notifications l.php account accounts careers recover reg r.php signup signup.php profile media_set games gaming bookmarks saved friends friends.php find-friends directory developers apps application.php apps.php latest lite me checkpoint mobile terms terms.php security badges cookie fundraisers jobs live local memories offers page pages_create places poke search stories timeline trending upgrade video video.php videos.php watchparty whatsapp index.php ajax connect gp groups.php campaign ad_campaign oauth rsrc.php flx intl settings.php sharer_ privacy_center",
    },
    Network {
        name: "twitter",
        hosts: "twitter.com x.com",
        shapes: &[shape("", 1, "")],
        handle: Handle::Word(20),
        deeper: Deeper::Never,
        own: "intent share home hashtag search i login logout signup privacy tos widgets statuses explore compose settings messages notifications about jobs account download oauth en de fr es who_to_follow following followers search-home search-advanced lists moments bookmarks goodies terms favorites teams invitations devices replies personalization",
    },
    Network {
        name: "linkedin",
        hosts: "linkedin.com",
        shapes: &[
            shape("company/", 1, "company"),
            shape("in/", 1, "person"),
            shape("school/", 1, "school"),
            shape("showcase/", 1, "company"),
            shape("pub/", 4, "person"),
            shape("groups/", 1, "group"),
        ],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "setup login",
    },
    Network {
        name: "instagram",
        hosts: "instagram.com instagr.am",
        shapes: &[shape("", 1, "")],
        handle: Handle::Dotted(30),
        deeper: Deeper::Never,
        own: "p reel reels explore tv stories accounts share about legal web direct developer developers oauth emails session challenge nametag press privacy terms directory download invites ar graphql api static archive threads login",
    },
    Network {
        name: "youtube",
        hosts: "youtube.com",
        shapes: &[
            shape("channel/", 1, "channel"),
            shape("c/", 1, ""),
            shape("user/", 1, ""),
            shape("@", 1, ""),
            shape("", 1, ""),
        ],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "watch embed playlist results shorts feed live redirect v t about iframe_api subscription_center premium hashtag howyoutubeworks static yt upload account account_advanced account_notifications account_privacy account_billing account_playback dashboard my_videos creators ads oembed s attribution_link post clip gaming music kids tv movies sports trending signin logout login browse charts channels charts.youtube.com create_channel editor get_video_info homepage intl jobs live_chat my_subscriptions my_favorites new oops press privacy profile reporthistory reporting_tool settings testtube terms user_search verify videoplayback watch_videos player_api paid_memberships purchases watch_popup e error source tos logo favicon.ico img opensearch",
    },
    Network {
        name: "tiktok",
        hosts: "tiktok.com",
        shapes: &[shape("@", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::But("video photo live"),
        own: "",
    },
    Network {
        name: "pinterest",
        hosts: "pinterest.*",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Board,
        own: "pin pin-builder search ideas _ about login logout signup settings explore today business homefeed categories topics board resource offsite source join invited password v3 videos shopping news_hub convert _tools _policy static",
    },
    Network {
        name: "github",
        hosts: "github.com",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "login join logout sponsors features about topics search orgs marketplace site pricing apps collections contact customer-stories enterprise events explore github-copilot issues new notifications organizations pulls readme security sessions settings signup solutions stars team trending users watching codespaces copilot dashboard gist resources premium-support mobile nonprofit open-source account blog careers developer edu home integrations logos maintenance press raw session status support terms tos",
    },
    Network {
        name: "vimeo",
        hosts: "vimeo.com",
        shapes: &[
            shape("channels/", 1, "channel"),
            shape("groups/", 1, "group"),
            shape("user/", 1, ""),
            shape("", 1, ""),
        ],
        handle: Handle::NoNumber,
        deeper: Deeper::Never,
        own: "watch upgrade about help privacy terms cookie_policy blog features upload settings manage create login log_in join signup search ondemand album albums showcase event events pricing solutions careers jobs staffpicks stock business enterprise ott live categories explore everywhere api player site_map guidelines dmca cameo home forums tags video videos",
    },
    Network {
        name: "xing",
        hosts: "xing.com",
        shapes: &[
            shape("news/pages/", 1, "firm"),
            shape("pages/", 1, "firm"),
            shape("companies/", 1, "firm"),
            shape("company/", 1, "firm"),
            shape("profile/", 1, "person"),
        ],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "",
    },
    Network {
        name: "threads",
        hosts: "threads.net threads.com",
        shapes: &[shape("@", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::But("post"),
        own: "",
    },
    Network {
        name: "bluesky",
        hosts: "bsky.app",
        shapes: &[shape("profile/", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::But("post feed lists"),
        own: "",
    },
    Network {
        name: "telegram",
        hosts: "t.me telegram.me telegram.dog",
        shapes: &[shape("s/", 1, ""), shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "share iv joinchat addstickers addemoji addtheme addlist proxy socks bg login setlanguage confirmphone invoice boost c giftcode contact m",
    },
    Network {
        name: "vk",
        hosts: "vk.com vk.ru vkontakte.ru",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "share.php share js rtrg video videos widget_comments.php away.php feed login im friends groups settings support terms privacy about jobs dev apps doc docs photo photos audio audios market clips mail board topic wall album restore join help ads business data-protection blog search bugs page stickers audios.php notes places products",
    },
    Network {
        name: "snapchat",
        hosts: "snapchat.com",
        shapes: &[shape("add/", 1, ""), shape("@", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "",
    },
    Network {
        name: "tumblr",
        hosts: "tumblr.com",
        shapes: &[shape("blog/", 1, ""), shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "share widgets tagged login logout search register dashboard explore settings policy privacy about help jobs docs developers press themes apps video reblog new likes following",
    },
    Network {
        name: "discord",
        hosts: "discord.gg discord.com discordapp.com",
        shapes: &[shape("invite/", 1, ""), shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "api channels login app developers register download nitro safety terms privacy guidelines company careers blog branding jobs newsroom servers discovery oauth2 community partners moderation support billing gifts hypesquad activities shop widget",
    },
    Network {
        name: "twitch",
        hosts: "twitch.tv",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::But("video clip v"),
        own: "videos directory p settings login signup downloads jobs turbo prime subscriptions inventory wallet friends messages drops store popout embed user team products search broadcast creatorcamp",
    },
    Network {
        name: "soundcloud",
        hosts: "soundcloud.com",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "player search discover stream upload you charts terms-of-use pages login signin signup logout settings messages notifications people tags imprint jobs mobile pro go stations for-artists community-guidelines connect feed oauth2",
    },
    Network {
        name: "medium",
        hosts: "medium.com",
        shapes: &[shape("@", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "",
    },
    Network {
        name: "reddit",
        hosts: "reddit.com",
        shapes: &[shape("r/", 1, "board"), shape("user/", 1, ""), shape("u/", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::But("comments s"),
        own: "",
    },
    Network {
        name: "behance",
        hosts: "behance.net",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "gallery search galleries joblist joblistings live blog about login signup onboarding hire assets settings misc careers dev",
    },
    Network {
        name: "dribbble",
        hosts: "dribbble.com",
        shapes: &[shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "shots search tags jobs about login signup session hiring pro designers stories teams terms privacy contact api colors places learn freelance-jobs tests following account settings",
    },
    Network {
        name: "flickr",
        hosts: "flickr.com",
        shapes: &[
            shape("photos/", 1, ""),
            shape("people/", 1, ""),
            shape("groups/", 1, "group"),
        ],
        handle: Handle::Any,
        deeper: Deeper::ButNumbers,
        own: "",
    },
    Network {
        name: "patreon",
        hosts: "patreon.com",
        shapes: &[shape("c/", 1, ""), shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "posts bepatron login home signup explore about create creators policy settings messages notifications join checkout search pricing product careers press apps oauth2 portal user user.php privacy legal terms",
    },
    Network {
        name: "odnoklassniki",
        hosts: "ok.ru odnoklassniki.ru",
        shapes: &[
            shape("group/", 1, "group"),
            shape("profile/", 1, ""),
            shape("", 1, ""),
        ],
        handle: Handle::Any,
        deeper: Deeper::But("topic"),
        own: "dk share offer video videoembed live music games messages feed help regulations settings login search groups gifts market ads apps jobs about friends online",
    },
    Network {
        name: "weibo",
        hosts: "weibo.com weibo.cn",
        shapes: &[shape("u/", 1, ""), shape("p/", 1, ""), shape("", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Never,
        own: "share login.php signup newlogin tv ajax ttarticle hot search settings messages home at comment fav set n",
    },
    Network {
        name: "yelp",
        hosts: "yelp.*",
        shapes: &[shape("biz/", 1, "")],
        handle: Handle::Any,
        deeper: Deeper::Always,
        own: "",
    },
];
