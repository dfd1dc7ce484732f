"""The tables of the shop, written for this course: what stands on its shelves, what its clerk knows, what people mean.

CATALOGUE and WORDS are what the shop's search engine knows. MEANINGS is what only the shoppers know. Amounts of an
attribute are given in tenths.
"""

ATTRIBUTES = (
    *("electronic", "screen", "power", "sound", "light", "paper", "writing"),
    *("carries", "worn", "kitchen", "outdoor", "warm", "pretty", "small"),
)
FACTS = ("price", "weight", "rating")  # what the shop answers with: yuan, grams, stars
SHELF = 12  # the catalogue stands on four shelves: electronics, paper, things to carry and wear, kitchen and outdoor

# name | Chinese name | price | weight | rating | the attributes that are not 0
CATALOGUE = """
laptop          | 笔记本电脑 | 5200 | 1500 | 4.6 | electronic 10, screen 10, power 5, sound 3, writing 7, small 6
gaming laptop   | 游戏本     | 8900 | 2600 | 4.4 | electronic 10, screen 10, power 7, sound 5, writing 6, small 3
ultrabook       | 轻薄本     | 6800 | 1000 | 4.7 | electronic 10, screen 9, power 4, sound 2, writing 7, small 8
tablet          | 平板电脑   | 2600 |  480 | 4.5 | electronic 10, screen 10, power 3, sound 3, writing 3, small 9
e-reader        | 电子阅读器 |  900 |  180 | 4.6 | electronic 7, screen 8, light 3, paper 2, small 10
phone           | 手机       | 3200 |  190 | 4.4 | electronic 10, screen 7, power 3, sound 5, light 2, small 10
laptop charger  | 电脑充电器 |  180 |  350 | 4.2 | electronic 7, power 10, small 6
power bank      | 充电宝     |  130 |  300 | 4.3 | electronic 6, power 10, outdoor 3, small 9
headphones      | 耳机       |  420 |  250 | 4.5 | electronic 7, sound 10, worn 4, small 8
speaker         | 音箱       |  300 |  650 | 4.4 | electronic 8, power 3, sound 10, pretty 2, small 4
desk lamp       | 台灯       |  150 | 1200 | 4.6 | electronic 5, power 4, light 10, pretty 3
keyboard        | 键盘       |  260 |  800 | 4.5 | electronic 8, writing 6, small 4
lined notebook  | 横线笔记本 |   12 |  220 | 4.5 | paper 10, writing 9, small 8
spiral notebook | 线圈笔记本 |    9 |  260 | 4.3 | paper 10, writing 9, small 7
leather journal | 皮面笔记本 |   88 |  350 | 4.7 | paper 9, writing 9, pretty 7, small 8
diary           | 日记本     |   42 |  300 | 4.6 | paper 9, writing 8, pretty 4, small 8
sketchbook      | 素描本     |   35 |  500 | 4.6 | paper 10, writing 6, small 5
printer paper   | 打印纸     |   25 | 2500 | 4.4 | paper 10, writing 3
fountain pen    | 钢笔       |  160 |   30 | 4.6 | writing 10, pretty 7, small 10
ballpoint pen   | 圆珠笔     |    3 |   10 | 4.2 | writing 10, small 10
pencil case     | 笔袋       |   28 |   90 | 4.4 | writing 4, carries 6, pretty 2, small 9
greeting card   | 贺卡       |    8 |   20 | 4.5 | paper 8, writing 3, pretty 9, small 10
novel           | 小说       |   45 |  320 | 4.7 | paper 10, small 7
desk calendar   | 台历       |   30 |  280 | 4.3 | paper 8, writing 2, pretty 5, small 4
backpack        | 双肩包     |  230 |  900 | 4.6 | carries 10, worn 2, outdoor 6, small 3
school bag      | 书包       |  150 |  800 | 4.4 | carries 10, paper 2, writing 2, small 3
laptop sleeve   | 电脑包     |   79 |  250 | 4.5 | electronic 2, carries 8, small 7
handbag         | 手提包     |  480 |  700 | 4.5 | carries 10, worn 3, pretty 9, small 4
suitcase        | 行李箱     |  399 | 3200 | 4.4 | carries 10, outdoor 2
rain jacket     | 冲锋衣     |  360 |  450 | 4.5 | worn 10, outdoor 9, warm 3, small 4
down jacket     | 羽绒服     |  599 |  900 | 4.6 | worn 10, outdoor 4, warm 10, small 2
scarf           | 围巾       |  120 |  180 | 4.6 | worn 8, warm 8, pretty 8, small 7
gloves          | 手套       |   60 |  120 | 4.3 | worn 8, outdoor 4, warm 8, small 9
hiking boots    | 登山鞋     |  450 | 1300 | 4.5 | worn 9, outdoor 10, warm 3
wool hat        | 毛线帽     |   55 |  100 | 4.4 | worn 9, outdoor 3, warm 8, pretty 3, small 8
watch           | 手表       |  780 |   80 | 4.5 | electronic 3, worn 8, pretty 9, small 10
kettle          | 电热水壶   |  140 | 1100 | 4.5 | electronic 4, power 4, kitchen 10, warm 4
rice cooker     | 电饭煲     |  350 | 3500 | 4.6 | electronic 5, power 5, kitchen 10
frying pan      | 平底锅     |  110 | 1400 | 4.4 | kitchen 10
chef's knife    | 菜刀       |  120 |  300 | 4.5 | kitchen 9, small 4
mug             | 马克杯     |   35 |  350 | 4.5 | kitchen 8, warm 2, pretty 5, small 6
tea set         | 茶具       |  260 | 1600 | 4.7 | kitchen 8, warm 2, pretty 10
thermos         | 保温杯     |   95 |  400 | 4.6 | kitchen 6, outdoor 6, warm 7, small 7
tent            | 帐篷       |  520 | 2800 | 4.5 | outdoor 10, carries 2
sleeping bag    | 睡袋       |  280 | 1500 | 4.4 | outdoor 9, worn 2, warm 10
camping stove   | 露营炉     |  160 | 1300 | 4.4 | kitchen 7, outdoor 10, warm 3, power 2
head torch      | 头灯       |   75 |   90 | 4.5 | electronic 3, light 10, worn 4, outdoor 8, small 9
lantern         | 露营灯     |  110 |  450 | 4.4 | electronic 3, power 2, light 10, outdoor 8, pretty 3, small 5
"""

# word: Chinese word | the attributes that a clerk wrote down for it. She wrote nothing for the last ten, the purposes.
WORDS = {
    "notebook": "笔记本 | writing 10, paper 6, electronic 4, screen 4, small 4",
    "computer": "电脑 | electronic 10, screen 10, writing 5",
    "pen": "笔 | writing 15, small 5",
    "book": "书 | paper 15",
    "lamp": "灯 | light 15",
    "bag": "包 | carries 15",
    "charger": "充电器 | power 15, electronic 5",
    "speaker": "音箱 | sound 15, electronic 5",
    "cup": "杯子 | kitchen 10, small 5, warm 3",
    "jacket": "外套 | worn 15, warm 5",
    "pot": "锅 | kitchen 15",
    "tent": "帐篷 | outdoor 15",
    "school": "学校",
    "office": "办公室",
    "camping": "露营",
    "gift": "礼物",
    "travel": "旅行",
    "winter": "冬天",
    "night": "夜晚",
    "cooking": "做饭",
    "music": "音乐",
    "hiking": "徒步",
}

# What the words mean to shoppers: for each word one wish or several, either of which she may have in mind.
# A wish says how much each attribute counts. The search engine never sees this table.
MEANINGS = {
    "notebook": ["electronic 7, screen 7, writing 6", "paper 9, writing 12"],
    "computer": ["electronic 10, screen 10, writing 6"],
    "pen": ["writing 18, small 6, paper -6"],
    "book": ["paper 18, writing -6", "paper 10, writing 10"],
    "lamp": ["light 20"],
    "bag": ["carries 20"],
    "charger": ["power 20"],
    "speaker": ["sound 20"],
    "cup": ["kitchen 10, small 6, warm 5"],
    "jacket": ["worn 15, warm 5"],
    "pot": ["kitchen 20, small -5"],
    "tent": ["outdoor 18, worn -8"],
    "school": ["paper 8, writing 12", "carries 10, small 4"],
    "office": ["electronic 6, screen 6, writing 8", "light 8, kitchen 6"],
    "camping": ["outdoor 12, light 6, small 4", "outdoor 12, warm 8"],
    "gift": ["pretty 18"],
    "travel": ["carries 10, outdoor 5", "small 10, power 6"],
    "winter": ["warm 15, worn 6"],
    "night": ["light 12, electronic 4", "paper 6, warm 8"],
    "cooking": ["kitchen 16"],
    "music": ["sound 15, electronic 4"],
    "hiking": ["outdoor 12, worn 8", "outdoor 12, carries 8"],
}
PURPOSES = tuple(word for word, line in WORDS.items() if "|" not in line)
NOUNS = tuple(word for word in WORDS if word not in PURPOSES)
STOP_WORDS = {"a", "an", "and", "for", "in", "my", "of", "or", "the", "to", "with"}
