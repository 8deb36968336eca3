"""Everyday tables of twelve domains, in four languages: their columns, and the role of each."""

from functools import partial

from . import columns as make
from .columns import FIRST, LAST

# Of each domain: its language, the name of its target, and the two classes.
TARGETS = {
    "clinic": ("en", "outcome", ("recovered", "ill")),
    "shop": ("en", "returned", ("yes", "no")),
    "weather": ("en", "rain_tomorrow", ("Yes", "No")),
    "school": ("en", "passed", ("pass", "fail")),
    "sensor": ("en", "state_next", ("ok", "fault")),
    "survey": ("en", "would_return", ("yes", "no")),
    "sports": ("en", "selected", ("yes", "no")),
    "homes": ("en", "sold_fast", ("yes", "no")),
    "商店": ("zh", "退货", ("是", "否")),
    "Wohnungen": ("de", "vermietet", ("ja", "nein")),
    "enquête": ("fr", "satisfait", ("oui", "non")),
    "cars": ("en", "imported", ("yes", "no")),
}

# Name: role and arguments of its maker, below.
DOMAINS = {
    "clinic": """age: measure 54 15 0 18; sex: category f|m; height_cm: measure 170 9 1 140;
        weight_kg: measure 75 12 1 42; systolic: measure 128 16 0 88; glucose: measure 6 .9 1 3.4;
        blood_group: code A+|A-|B+|B-|0+|0-|AB+; smoker: category yes|no|former; visits: count 2;
        visit_date: date; ward: category surgery|cardiology|neurology|ENT; pain: rating 10;
        note: text en""",
    "shop": """order_date: date; product: category lamp|chair|desk|sofa|shelf; stars: rating 5;
        unit_price: price 45 .6 2; quantity: count 1.3 1; discount: steps 0|5|10|15|20;
        payment: category card|cash|transfer; city: category Leeds|York|Bath|New York|Derby;
        shipping_days: count 4; parcel_kg: measure 6 1.2 2 1.5; volume_l: measure 60 12 1 20;
        comment: text en; customer: name person""",
    "weather": """date: date; temp_c: signed 9 8 1; humidity: measure 66 9 0 25; rain_mm: zeros;
        pressure_hpa: measure 1014 8 1; wind_kmh: measure 24 6 1 5; cloud_okta: range 0 9;
        sky: category clear|cloudy|overcast|fog; wind_dir: code N|NE|E|SE|S|SW|W|NW;
        station: category Oslo|Bergen|Bodo; sunshine_h: zeros; remark: text en""",
    "school": """grade: code A|A-|B+|B|B-|C+|C; math: measure 66 11 0 21; effort: rating 6;
        reading: measure 69 10 0 25; absences: count 3; study_hours: measure 11 2 1 3;
        parents: category none|school|college|university; school_year: range 2012 2023;
        sex: category girl|boy; siblings: count 1.4; teacher: name person; remarks: text en;
        enrolled: date %d/%m/%Y""",
    "sensor": """time: stamp 7min; temperature: measure 61 6 2; vibration: measure 2.1 .35 3 .7;
        rpm: measure 1480 60 0 1200; current_a: measure 13 1.6 2 6; voltage: measure 231 3 1;
        machine: category M-01|M-02|M-03|M-04; firmware: code 1.0|1.1|1.10|2.0.3;
        mode: category idle|run|test; alarms: count .6; humidity: measure 44 6 1 15; log: text en""",
    "survey": """q1: rating 5; q2: rating 5; q3: rating 7; satisfaction: rating 10; postcode: post;
        age_group: code 18-29|30-44|45-59|60+; income: price 2600 .45 0; household: count 1.4 1;
        region: category north|south|east|west; minutes: measure 14 2.8 1 4; answer: text en;
        commute_km: measure 24 5 1 6; day: date %m/%d/%Y""",
    "sports": """player: name person; position: category goal|defence|midfield|forward;
        goals: count 4; assists: count 3; minutes: measure 1700 330 0 400; rating: rating 10;
        height: measure 1.83 .07 2 1.6; weight: measure 78 7 1 58; shirt: range 1 40;
        season: code 2018/19|2019/20|2020/21; sprint_s: measure 4.2 .25 2 3.4;
        team: category United|City|Rovers|Athletic|Wanderers; debut: range 2008 2021""",
    "homes": """price: price 290000 .38 -3; area_m2: measure 104 20 1 40; rooms: count 2.6 1;
        year_built: range 1905 2021; floor: count 2; zip: post; energy: code A+|A|B|C|D;
        distance_km: measure 9 1.8 2 2; heating: category gas|oil|heat pump|district;
        garage: category yes|no; street: name street; lot_m2: price 420 .5 0; listed: date;
        advert: text en""",
    "商店": """日期: date; 城市: category 北京|上海|广州|成都; 商品: category 手机|衣服|图书|食品;
        单价: price 88 .6 2; 数量: count 1.2 1; 评分: rating 10; 会员: category 普通|银卡|金卡;
        重量: measure 3.2 .6 2 1; 身高: measure 168 8 1 145; 评论: text zh; 年份: range 2015 2024;
        收入: price 6500 .4 0""",
    "Wohnungen": """Datum: date %d.%m.%Y; Fläche: measure 71 14 1 25; Miete: price 780 .3 2;
        Stadt: category München|Köln|Frankfurt (Oder)|Frankfurt (Main)|Bad Tölz; PLZ: post;
        Zimmer: count 1.6 1; Baujahr: range 1900 2022; Balkon: category ja|nein; Etage: count 2;
        Nebenkosten: measure 190 32 2 70; Note: code 1|1-|2+|2|2-|3; Beschreibung: text de;
        Verbrauch: measure 120 22 1 40""",
    "enquête": """ville: category Lyon|Paris|Saint-Étienne|Nîmes; âge: measure 46 14 0 18;
        taille: measure 170 9 1 145; poids: measure 71 11 1 42; département: code 01|06|13|69|75|2A;
        profession: category ouvrier|cadre|employé|retraité|sans emploi; note: rating 10;
        enfants: count 1.1; revenu: price 2100 .35 0; remarque: text fr; date: date %d/%m/%Y;
        trajet_min: measure 31 6 0 8""",
    "cars": """model: name model; mpg: measure 25 4.2 1 11; cylinders: steps 4|6|8;
        horsepower: measure 108 20 0 46; compression: measure 9.2 .7 1 7; doors: steps 2|3|4|5;
        weight_lb: measure 2950 420 0 1700; year: range 1970 1983; price: price 9000 .45 0;
        body: category sedan|wagon|coupe; seller: name person; accel_s: measure 15.5 2 1 9""",
}


def name_of(r, what):
    """Return the name of a person, a street or a car's model."""
    if what == "person":
        return f"{r.choice(FIRST)} {r.choice(LAST)}"
    if what == "street":
        return f"{r.integers(1, 180)} {r.choice(LAST)} {r.choice(['St', 'Road', 'Lane', 'Ave'])}"
    return f"{r.choice(['ford', 'vw', 'fiat'])} x{r.integers(10, 99)} {r.choice(['gl', 'sport'])}"


def numeric(maker):
    """Return a maker whose arguments are numbers in a text."""
    return lambda text: maker(*map(float, text.split()))


# A measure lies well above zero; prices and counts have long tails; a code looks like numbers or has
# signs that matter; a name is text that may be unique.
ROLES = {
    "measure": numeric(make.normal),
    "signed": numeric(make.normal),
    "price": numeric(make.lognormal),
    "count": numeric(make.counts),
    "range": numeric(make.between),
    "rating": numeric(make.rating),
    "steps": lambda text: make.one_of([int(x) for x in text.split("|")]),
    "zeros": lambda text: make.rain,
    "category": make.category,
    "code": make.category,
    "post": lambda text: make.postcodes,
    "text": lambda text: make.each(partial(make.sentence, language=text)),
    "name": lambda text: make.each(partial(name_of, what=text)),
    "date": lambda text: make.dates(text or "%Y-%m-%d"),
    "stamp": make.stamps,
}


def columns_of(domain):
    """Return (role, maker) of all columns of a domain, by name."""
    parts = [part.strip().partition(": ") for part in DOMAINS[domain].split(";")]
    roles = {name: text.partition(" ") for name, _, text in parts}
    return {name: (role, ROLES[role](text)) for name, (role, _, text) in roles.items()}


def choose(r, need):
    """Return a domain that has columns of all the roles needed, and 3 to 11 of its columns."""
    everything = {domain: columns_of(domain) for domain in DOMAINS}
    roles = {domain: [role for role, _ in of.values()] for domain, of in everything.items()}
    fits = [d for d, has in roles.items() if all(has.count(a) >= need.count(a) for a in need)]
    domain = str(r.choice(fits))
    columns, chosen = everything[domain], []
    order = [str(name) for name in r.permutation(list(columns))]
    for role in need if {"measure", "price"} & set(need) else [*need, "measure"]:
        chosen.append(next(c for c in order if columns[c][0] == role and c not in chosen))
    rest = [name for name in order if name not in chosen]
    chosen += rest[: max(0, r.integers(3, 12) - len(chosen))]
    return domain, {name: columns[name] for name in columns if name in chosen}
