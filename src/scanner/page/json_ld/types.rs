//! The types of schema.org that can describe a site's operator, and those that cannot.
//!
//! Sites should state the most specific type, so the whole hierarchy below `Organization`, `LocalBusiness` and `Place`
//! is listed (release 29 with its pending types). Names are in lower case, because authors do not use the exact case.

/// Whether a type is `Organization`, `LocalBusiness` or one below them.
pub(super) fn is_organization(kind: &str) -> bool {
    ORGANIZATIONS.iter().any(|line| has_word(line, kind))
}

/// Whether a type is a place, which may describe its operator.
pub(super) fn is_place(kind: &str) -> bool {
    PLACES.iter().any(|line| has_word(line, kind))
}

/// Whether a type may have an address and a telephone but is not a company.
pub(super) fn is_something_else(kind: &str) -> bool {
    has_word(SOMETHING_ELSE, kind)
        || [
            "event",
            "action",
            "trip",
            "reservation",
            "page",
            "review",
            "article",
        ]
        .iter()
        .any(|ending| ends_with(kind, ending))
}

fn has_word(words: &str, wanted: &str) -> bool {
    words
        .split_ascii_whitespace()
        .any(|word| word.eq_ignore_ascii_case(wanted))
}

fn ends_with(kind: &str, ending: &str) -> bool {
    let start = kind.len().checked_sub(ending.len());
    start
        .and_then(|start| kind.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

const ORGANIZATIONS: &[&str] = &[
    // Organization.
    "organization airline consortium cooperative corporation educationalorganization collegeoruniversity \
     elementaryschool highschool middleschool preschool school fundingscheme governmentorganization librarysystem \
     localbusiness medicalorganization dentist diagnosticlab hospital medicalclinic pharmacy physician \
     individualphysician physiciansoffice veterinarycare newsmediaorganization ngo onlinebusiness onlinestore \
     onlinemarketplace performinggroup dancegroup musicgroup theatergroup politicalparty project fundingagency \
     researchproject researchorganization searchrescueorganization sportsorganization sportsteam workersunion",
    // Old names and types that are now values of other types, but are still used.
    "nonprofit nonprofit501c3 library localbusinessorganization business company",
    // LocalBusiness, directly below.
    "animalshelter archiveorganization childcare drycleaningorlaundry employmentagency internetcafe \
     professionalservice radiostation realestateagent recyclingcenter selfstorage shoppingcenter \
     televisionstation touristinformationcenter travelagency",
    // AutomotiveBusiness.
    "automotivebusiness autobodyshop autodealer autopartsstore autorental autorepair autowash gasstation \
     motorcycledealer motorcyclerepair",
    // EmergencyService and GovernmentOffice.
    "emergencyservice firestation policestation governmentoffice postoffice",
    // EntertainmentBusiness.
    "entertainmentbusiness adultentertainment amusementpark artgallery casino comedyclub movietheater nightclub",
    // FinancialService.
    "financialservice accountingservice automatedteller bankorcreditunion insuranceagency",
    // FoodEstablishment.
    "foodestablishment bakery barorpub brewery cafeorcoffeeshop distillery fastfoodrestaurant icecreamshop \
     restaurant winery",
    // HealthAndBeautyBusiness.
    "healthandbeautybusiness beautysalon dayspa hairsalon healthclub nailsalon tattooparlor",
    // HomeAndConstructionBusiness.
    "homeandconstructionbusiness electrician generalcontractor hvacbusiness housepainter locksmith movingcompany \
     plumber roofingcontractor",
    // LegalService.
    "legalservice attorney notary",
    // LodgingBusiness.
    "lodgingbusiness bedandbreakfast campground hostel hotel motel resort skiresort vacationrental",
    // MedicalBusiness; its specialities are types of their own.
    "medicalbusiness communityhealth dermatology dietnutrition emergency geriatric gynecologic midwifery nursing \
     obstetric oncologic optician optometric otolaryngologic pediatric physiotherapy plasticsurgery podiatric \
     primarycare psychiatric publichealth covidtestingfacility",
    // SportsActivityLocation.
    "sportsactivitylocation bowlingalley exercisegym golfcourse publicswimmingpool sportsclub stadiumorarena \
     tenniscomplex",
    // Store.
    "store bikestore bookstore clothingstore computerstore conveniencestore departmentstore electronicsstore \
     florist furniturestore gardenstore grocerystore hardwarestore hobbyshop homegoodsstore jewelrystore \
     liquorstore mensclothingstore mobilephonestore movierentalstore musicstore officeequipmentstore outletstore \
     pawnshop petstore shoestore sportinggoodsstore tireshop toystore wholesalestore",
];

const PLACES: &[&str] = &[
    // CivicStructure and related types.
    "place civicstructure airport aquarium beach boatterminal bridge busstation busstop cemetery crematorium eventvenue governmentbuilding cityhall courthouse defenceestablishment embassy \
     legislativebuilding museum musicvenue park parkingfacility performingartstheater placeofworship \
     buddhisttemple church catholicchurch hindutemple mosque synagogue playground publictoilet rvpark subwaystation \
     taxistand trainstation zoo landmarksorhistoricalbuildings touristattraction touristdestination",
    // Accommodation, and residences that businesses rent out.
    "accommodation apartment campingpitch house singlefamilyresidence suite apartmentcomplex gatedresidencecommunity \
     residence",
];

const SOMETHING_ELSE: &str = "person patient product productgroup productmodel individualproduct vehicle car offer \
     aggregateoffer jobposting occupation event postaladdress contactpoint geocoordinates geoshape administrativearea \
     country city state creativework book movie recipe course brand rating aggregaterating comment question answer \
     website imageobject videoobject listitem itemlist breadcrumblist service thing room hotelroom meetingroom \
     landform bodyofwater openinghoursspecification demand order invoice";
