"""Texts written for this course, mild enough for any classroom."""

from __future__ import annotations

# Ten comments that the apps show with their scores: friendly, neutral, rude, and some on which models go wrong.
EXAMPLES = (
    "Thank you for the careful edit, the article reads much better now.",
    "The station opened in 1932 and was rebuilt twenty years later.",
    "You are an idiot and nobody wants you here.",
    "I disagree with every word of this, but it is well argued.",
    "What a load of crap, did you even read the source?",
    "I will find out where you live and you will be sorry.",
    "Everyone from Zandovia is a thief, keep them off this page.",
    "Being called an idiot hurt me more than I let on.",
    "Oh brilliant, another revert. Just what this page needed.",
    "That goal was sick, he absolutely killed it! 🔥",
)

# Short posts with the feeling that their author meant them to have.
TWEETS = (
    ("Got the job!!! Starting Monday, still shaking 🎉", "positive"),
    ("The new library is open until ten now. Best news of the week.", "positive"),
    ("My sister baked me a cake shaped like a dinosaur. I am 34. I cried.", "positive"),
    ("Not bad at all, this little café by the river.", "positive"),
    ("Couldn't be happier with how the garden turned out", "positive"),
    ("Three hours of queueing and it was worth every minute", "positive"),
    ("Shout-out to the bus driver who waited for me this morning ❤️", "positive"),
    ("I laughed so hard at the school play that my face hurts", "positive"),
    ("finally finally FINALLY fixed the bike", "positive"),
    ("That goal was sick, he absolutely killed it! 🔥", "positive"),
    ("Didn't expect to like the sequel, but here I am, watching it twice", "positive"),
    ("The doctor says her arm has healed. What a relief.", "positive"),
    ("The 7:40 train leaves from platform 3 today.", "neutral"),
    ("Council meets on Thursday to vote on the cycle lanes", "neutral"),
    ("New episode tonight at nine", "neutral"),
    ("Anyone know if the pool is open on Sundays?", "neutral"),
    ("They moved the match to Saturday because of the concert.", "neutral"),
    ("Reading about the history of the printing press", "neutral"),
    ("Our shop is now at 12 Mill Lane.", "neutral"),
    ("It is 14 degrees and cloudy in the harbour", "neutral"),
    ("I have two tickets for Friday and one for Sunday", "neutral"),
    ("The film is three hours long", "neutral"),
    ("Half of the class takes the tram, half walks", "neutral"),
    ("He said the bridge will reopen in May", "neutral"),
    ("Train cancelled again. Fourth time this week.", "negative"),
    ("Oh great, the printer is broken again. Just what I needed today.", "negative"),
    ("I waited an hour for cold soup", "negative"),
    ("This update made everything slower, please bring the old version back", "negative"),
    ("Not good. Not good at all.", "negative"),
    ("Can't believe they closed the only park in our street 😢", "negative"),
    ("My phone died in the middle of the interview", "negative"),
    ("Nobody answered my message. Nobody.", "negative"),
    ("The sequel is so boring that I fell asleep twice", "negative"),
    ("Love how the lift stops working every time I have shopping with me 🙃", "negative"),
    ("Rain, a flat tyre and a parking fine. What a day.", "negative"),
    ("I used to like this band", "negative"),
)
