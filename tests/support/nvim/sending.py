"""Code that is sent to a REPL."""

SOURCE = '''\
# what a prompt would stumble over
x = [
    1,

    2,
]
def first(function):
    return function

@first
def f(n):
    """A text

    of three lines"""
    # a comment
    total = 0

# another, at the margin
    for i in range(n):
        if i % 2:
            total += i

        else:
            total -= i

    return total
print("f" + ":", f(10))
for i in range(2): print("turn" + ":", i)
y = 3
try:
    1 / 0
except ZeroDivisionError:
    print("by" + " zero")
finally:
    print("at" + " last")
class A:
	"""Tabs

	and ü"""
	def g(self):
		return 'a	b'

	z = r"""raw

\\d"""
print(A().g() == 'a' + chr(9) + 'b', len(A.z))
if x:
    print("the" + " end")
'''


SAID = ["f: 5", "turn: 0", "turn: 1", "by zero", "at last", "True 7", "the end"]
