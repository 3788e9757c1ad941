"""Every word that the screen shows, in Chinese and English. Owns the words and nothing else.

A text of two lines has a line feed in it. How wide a line may be, pages.py says; tests hold every text to it. The
glyphs are made from what stands here (python -m tools.glyphs).
"""

from protocol import codes

from .page import SOS_WORD
from .. import stages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# In the order of settings.CHINESE, settings.ENGLISH.
SERVICES = {
    codes.SERVICE_MEDICAL: ("医疗服务", "Medical"),
    codes.SERVICE_CARE: ("照护服务", "Care"),
    codes.SERVICE_INFORMATION: ("信息咨询", "Info"),
    codes.SERVICE_COUNSELLING: ("心理慰藉", "Talk"),
    codes.SERVICE_HOUSEHOLD: ("家政服务", "Chores"),
    codes.SERVICE_CALL_ME: ("请求回电", "Call me"),
}
# What a worker's badge says of a visit.
VISITS = {
    codes.VISIT_ARRIVED: ("上门到达", "Arrived"),
    codes.VISIT_DONE: ("服务完成", "Leaving"),
}
STAGES = {
    stages.PRESSED: ("求救已记下\n马上发出", "SOS noted:\nsending"),
    stages.STORED: ("网关已收到\n正在转发", "Gateway\nhas it"),
    stages.ACCEPTED: ("中心已收到\n等待接线员", "Centre\nhas it"),
    stages.ANSWERED: ("接线员已接\n正在处理", "A person\ntook it"),
    stages.CLOSED: ("已办结", "Done"),
    stages.NO_PATH: ("还没发出去\n仍在重试", "Not sent\nyet: trying"),
    stages.BUSY: ("中心正忙\n仍在重试", "Busy now:\nstill trying"),
    stages.REFUSED: ("中心未受理\n请找人帮忙", "Refused:\nask others"),
    stages.CANCELLED: ("已取消", "Cancelled"),
    stages.LOCATING: ("中心在查找\n这只手表", "Someone\nlooks for it"),
    stages.ARMED: ("测试模式\n短按是测试", "Test mode\nshort press"),
}
# Of a service, an answer, a test: nobody has it yet.
SENDING = ("正在发送\n请稍等", "Sending:\nplease wait")
# Of an answer or a visit: nothing more is to come.
NOTED = ("中心已收到", "Centre\nhas it")
COUNTING_DOWN = ("%d 秒后发出\n三连按取消", "Sent in %d\n3 x: cancel")
COUNTING = ("即将发出\n三连按取消", "Sent soon\n3 x: cancel")
NOT_TAKEN = ("没能记下\n请稍后再试", "Not noted:\ntry later")
# Question and answer.
PROMPTS = {
    codes.PROMPT_CHECKIN: (("您还好吗", "我很好"), ("You OK?", "I'm fine")),
    codes.PROMPT_MEDICINE: (("该吃药了", "已吃药"), ("Pills!", "Taken")),
    codes.PROMPT_LOOK: (("请看手表", "看到了"), ("Look!", "Seen")),
}
FALL = (("%d秒后求救", "我没事"), ("SOS in %d", "I'm OK"))
YES = ("发送", "Send")
NO = ("不要", "No")
BACK = ("返回", "Back")
SEND_SOS = ("点这里求救", "Tap = send")
PERCENT = "%d%%"
TIME = "%02d:%02d"
NO_TIME = "--:--"
# What the numbers above are written with.
DIGITS = "0123456789%:-"


def all_texts(language: int) -> "Iterator[str]":
    """Each text of a language."""
    for texts in (SERVICES, VISITS, STAGES):
        for both in texts.values():
            yield both[language]
    for prompt in PROMPTS.values():
        yield from prompt[language]
    yield from FALL[language]
    for one in (SENDING, NOTED, COUNTING_DOWN, COUNTING, NOT_TAKEN, YES, NO, BACK, SEND_SOS):
        yield one[language]
    yield SOS_WORD
